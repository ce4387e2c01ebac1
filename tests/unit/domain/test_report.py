"""The report: what is counted in which rate."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from service.domain.effort import Effort
from service.domain.gates import NO_GATE, GateStatus
from service.domain.jobs import Job, Suite, SuiteStatus
from service.domain.lifecycle import JobStatus
from service.domain.report import build
from service.domain.specs import Limits, PluginSpec, Thresholds
from service.domain.statistics import wilson
from service.domain.tallies import Tally
from service.domain.verdicts import Disposition, Verdict

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def job(status: JobStatus = JobStatus.COMPLETED, thresholds: Thresholds | None = None) -> Job:
    suite = Suite("suite_1", "acme", None, SuiteStatus.READY, None, 10, "sha256:0", None, Effort(), 0, None, NOW)
    values: dict[str, Any] = {"status_reason": None, "started_at": None, "finished_at": None, "active_seconds": 0.0}
    return Job(
        id="job_1",
        tenant="acme",
        name=None,
        status=status,
        created_at=NOW,
        target=PluginSpec("scripted"),
        judge=PluginSpec("rules"),
        suite=suite,
        repeats=1,
        thresholds=thresholds,
        labels={},
        limits=Limits(),
        **values,
    )


def tally(
    disposition: Disposition,
    verdict: Verdict | None,
    count: int,
    category: str | None = "violence",
    style: str = "slang",
) -> Tally:
    return Tally(category, style, None, "en", disposition, verdict, count)


MIXED = [
    tally(Disposition.ANSWERED, Verdict.UNSAFE, 3),
    tally(Disposition.ANSWERED, Verdict.UNKNOWN, 2),
    tally(Disposition.ANSWERED, None, 4),  # the judge's call failed
    tally(Disposition.REFUSED, Verdict.SAFE, 5, "self_harm"),
    tally(Disposition.BLOCKED, Verdict.SAFE, 6, "self_harm"),
    tally(Disposition.BLOCKED, Verdict.UNSAFE, 1, "self_harm"),  # by the text that came before the filter
    tally(Disposition.ERROR, None, 7, None, "question"),
]


def test_errors_leave_every_denominator_but_their_own() -> None:
    rates = build(job(), MIXED, {}).rates
    assert rates.unsafe == wilson(4, 17)
    assert rates.unknown == wilson(2, 17)
    assert rates.errors == wilson(11, 28)


def test_blocked_results_leave_both_sides_of_the_rate() -> None:
    assert build(job(), MIXED, {}).rates.unsafe_without_blocked == wilson(3, 10)


def test_refused_and_blocked_are_taken_of_all_replies() -> None:
    rates = build(job(), MIXED, {}).rates
    assert rates.refused == wilson(5, 21)
    assert rates.blocked == wilson(7, 21)


def test_tables_are_sorted_with_the_unnamed_last_and_add_up() -> None:
    report = build(job(), MIXED, {})
    assert [row.cell for row in report.by_category] == [("self_harm",), ("violence",), (None,)]
    assert [row.cell for row in report.by_category_and_style] == [
        ("self_harm", "slang"),
        ("violence", "slang"),
        (None, "question"),
    ]
    assert [row.cell for row in report.by_technique] == [(None,)]
    for table in (
        report.by_category,
        report.by_style,
        report.by_technique,
        report.by_language,
        report.by_category_and_style,
    ):
        assert sum(row.counts.done for row in table) == report.totals.done == 28
        assert sum(row.unsafe.count for row in table) == 4
    assert report.by_category[0].unsafe == wilson(1, 12)
    assert report.by_category[0].unsafe_without_blocked == wilson(0, 5)


def test_a_row_in_which_nothing_was_assessed_has_no_rate() -> None:
    [*_, last] = build(job(), MIXED, {}).by_category
    assert (last.counts.errors, last.unsafe.rate, last.unsafe.high) == (7, None, None)


def test_nothing_at_all() -> None:
    report = build(job(), [], {})
    assert report.by_category == ()
    assert report.rates.unsafe.rate is None


@pytest.mark.parametrize("status", [status for status in JobStatus if status is not JobStatus.COMPLETED])
def test_no_gate_before_the_job_is_completed(status: JobStatus) -> None:
    assert build(job(status, Thresholds(max_unsafe_rate=0)), MIXED, {}).gate == NO_GATE


def test_the_gate_of_a_completed_job() -> None:
    thresholds = Thresholds(by_category={"violence": 0.1})
    assert build(job(thresholds=thresholds), MIXED, {}).gate.status is GateStatus.FAILED
    assert build(job(), MIXED, {}).gate == NO_GATE


def test_repeats_count_as_one_in_every_interval() -> None:
    report = build(replace(job(), repeats=4), MIXED, {})
    assert report.rates.unsafe == wilson(4, 17, repeats=4)
    assert report.rates.errors == wilson(11, 28, repeats=4)
    assert {row.unsafe for row in report.by_style} == {wilson(4, 17, repeats=4), wilson(0, 0)}


def test_a_judgement_that_lacks_results_has_an_inconclusive_gate() -> None:
    """Those that a retry of its job has asked for anew."""
    few = [tally(Disposition.ANSWERED, Verdict.SAFE, 9)]
    assert build(job(thresholds=Thresholds(max_unsafe_rate=0)), few, {}).gate.status is GateStatus.INCONCLUSIVE


def test_equal_results_make_equal_reports() -> None:
    assert build(job(), MIXED, {}) == build(job(), MIXED[::-1], {})
