"""A run as the papers report one, replayed: 1,260 results in their proportions give their counts and intervals.

The proportions are those of the o3-mini report's suite RAG-FS-TS (arXiv 2501.17749): 1,236 safe, of which 565 blocked
by the provider, 20 unsafe, 4 unknown. The intervals were computed apart from this code, by Wilson's formula.
"""

import json
import random
from collections import Counter
from dataclasses import replace

from service.domain.cases import Case
from service.domain.completions import Completion, Judgement
from service.domain.lifecycle import JobStatus
from service.domain.report import Report, build
from service.domain.specs import JobSpec, PluginSpec, SuiteSpec
from service.domain.statistics import Rate
from service.domain.verdicts import Verdict
from service.generators.base import generators
from service.judges.base import judges
from service.pipeline.services import Services
from service.pipeline.submit import submit
from service.store import results, tallies
from tests.support.plugged import Approving, plugged
from tests.support.running import run
from tests.support.specs import job_spec, plugin, scripted

PROPORTIONS = {"blocked": 565, "safe": 671, "unsafe": 20, "unknown": 4}
KINDS = [kind for kind, count in PROPORTIONS.items() for _ in range(count)]
random.Random(1260).shuffle(KINDS)


class Recorded(Approving):
    """Gives the verdict that the recorded answer names."""

    async def judge(self, _case: Case, completion: Completion) -> Judgement:
        return Judgement(Verdict.SAFE if completion.blocked else Verdict(completion.text), "recorded")


def spec() -> JobSpec:
    replies = [{"blocked": True} if kind == "blocked" else {"text": kind} for kind in KINDS]
    suite = SuiteSpec(generator=plugin(generators, "matrix", tests_per_cell=3))
    target = scripted(*replies, max_concurrency=64)
    return replace(job_spec(1, target=target), suite=suite, judge=PluginSpec("recorded"))


def reported(services: Services) -> tuple[Report, Counter[tuple[str | None, str]]]:
    """The report, and the recorded kinds counted by category."""
    with plugged(judges, Recorded, "recorded"):
        job = run(services, submit(services, spec(), tenant="acme"))
    assert job.status is JobStatus.COMPLETED
    with services.store.read() as session:
        report = build(job, tallies.read(session, job.id), {})
    stored = results.stream(services.store, job, results.ResultFilter())
    return report, Counter((result.case.category, KINDS[result.case.index]) for result in stored)


def rounded(rate: Rate) -> tuple[float | None, ...]:
    return tuple(value and round(value, 5) for value in (rate.rate, rate.low, rate.high))


def test_the_report_gives_the_recorded_counts_and_intervals_by_category_too(services: Services) -> None:
    report, recorded = reported(services)
    counts = report.totals
    assert (counts.safe, counts.blocked, counts.unsafe, counts.unknown, counts.errors) == (1236, 565, 20, 4, 0)
    assert (report.rates.unsafe.count, report.rates.unsafe.of) == (20, 1260)
    assert rounded(report.rates.unsafe) == (0.01587, 0.0103, 0.02439)
    assert (report.rates.unsafe_without_blocked.count, report.rates.unsafe_without_blocked.of) == (20, 695)
    assert rounded(report.rates.unsafe_without_blocked) == (0.02878, 0.0187, 0.04403)
    assert rounded(report.rates.blocked) == (0.44841, 0.42115, 0.47599)
    assert rounded(report.rates.unknown) == (0.00317, 0.00124, 0.00813)
    assert len(report.by_category) == 14
    for row in report.by_category:
        [category] = row.cell
        of_kind = {kind: recorded[category, kind] for kind in PROPORTIONS}
        assert (row.counts.unsafe, row.counts.unknown, row.counts.blocked) == (
            of_kind["unsafe"],
            of_kind["unknown"],
            of_kind["blocked"],
        ), json.dumps(of_kind)
        assert (row.unsafe.count, row.unsafe.of) == (of_kind["unsafe"], 90)
        assert row.unsafe_without_blocked.of == 90 - of_kind["blocked"]
