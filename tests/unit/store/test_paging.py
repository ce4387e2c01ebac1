"""Pages and chunks are bounded by the text they hold, so that memory is, whatever a target answers."""

from typing import Any

import pytest
from sqlalchemy.orm import Session

from service.domain.cases import Case
from service.domain.completions import MAX_TEXT, Completion, Judgement
from service.domain.jobs import Job, Suite
from service.domain.verdicts import Verdict
from service.pipeline import upload
from service.pipeline.services import Services
from service.store import batches, cases, paging, results, suites
from service.store.agreement import differences
from service.store.paging import MOST_TEXT, Page, fitting, grouped
from service.store.results import ResultFilter
from service.store.session import Store
from service.store.suites import NewSuite
from tests.unit.store.made import outcome, running_job

LONG = "x" * 1000


@pytest.fixture
def little(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two and a half long texts are the most."""
    monkeypatch.setattr(paging, "MOST_TEXT", 2500)


def answered(store: Store, verdict: Verdict) -> Job:
    """A job of six results, the first of them short."""
    job = running_job(store, 6, size=6)
    with store.write() as session:
        batch = batches.claim_next(session, job.id, "a")
        assert batch
        answers, judgement = ["short", *[LONG] * 5], Judgement(verdict, "so it is")
        made = [outcome(index, completion=Completion(text), judgement=judgement) for index, text in enumerate(answers)]
        results.save(session, job, batch, "a", made)
    return job


@pytest.fixture
def job(store: Store) -> Job:
    return answered(store, Verdict.SAFE)


def suite_of(store: Store, *prompts: str) -> Suite:
    with store.write() as session:
        suite = suites.create(session, "acme", NewSuite(len(prompts)))
        cases.add(session, suite.id, [Case(index, prompt) for index, prompt in enumerate(prompts)])
    return suite


@pytest.mark.parametrize(
    ("sizes", "limit", "taken"),
    [
        ([], 5, 0),
        ([1, 1, 1], 5, 3),
        ([1, 1, 1], 2, 2),
        ([MOST_TEXT, 1], 5, 1),
        ([MOST_TEXT - 1, 1, 1], 5, 2),
        ([MOST_TEXT + 1, 1], 5, 1),
    ],
)
def test_as_many_rows_as_fit_and_always_one(sizes: list[int], limit: int, taken: int) -> None:
    assert fitting(sizes, limit) == taken


def test_groups_end_where_the_text_is_enough_or_the_rows_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "MOST_TEXT", 5)
    rows = ["a", "b", "c", "d", "eeeee", "ff", "ggg", "h"]
    assert list(grouped(rows, len, 3)) == [["a", "b", "c"], ["d", "eeeee"], ["ff", "ggg"], ["h"]]


def test_a_page_of_the_largest_results_is_of_some() -> None:
    assert fitting([MAX_TEXT + 32_768] * 1000, 1000) == 3


@pytest.mark.usefixtures("little")
def test_results_come_in_pages_that_hold_as_much_text_as_they_may(store: Store, job: Job) -> None:
    seen: list[list[int]] = []
    after, more = None, True
    while more:
        with store.read() as session:
            page = results.page(session, job, ResultFilter(), after=after, limit=100)
        seen.append([result.case.index for result in page.rows])
        after, more = (page.rows[-1].repeat, page.rows[-1].case.index), page.more
    assert seen == [[0, 1, 2], [3, 4], [5]]


@pytest.mark.usefixtures("little")
def test_a_stream_has_no_more_in_memory_than_a_page(store: Store, job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched: list[int] = []

    def fit(*args: Any) -> Page[Any]:
        page = results_fit(*args)
        fetched.append(sum(len(row[0].response) for row in page.rows))
        return page

    results_fit = results.fit
    monkeypatch.setattr(results, "fit", fit)
    assert [result.case.index for result in results.stream(store, job, ResultFilter())] == list(range(6))
    assert fetched == [2005, 2000, 1000]


@pytest.mark.parametrize(
    ("completion", "judgement"),
    [
        (Completion("a", blocked=True, blocked_reason=LONG), Judgement(Verdict.SAFE, "")),
        (Completion("a", finish_reason=LONG), Judgement(Verdict.SAFE, "")),
        (Completion("a"), Judgement(Verdict.UNKNOWN, "", raw=LONG)),
    ],
    ids=["why it was blocked", "why it ended", "what the judge said"],
)
@pytest.mark.usefixtures("little")
def test_all_long_texts_of_a_result_count(store: Store, completion: Completion, judgement: Judgement) -> None:
    job = running_job(store, 4, size=4)
    with store.write() as session:
        batch = batches.claim_next(session, job.id, "a")
        assert batch
        results.save(
            session, job, batch, "a", [outcome(i, completion=completion, judgement=judgement) for i in range(4)]
        )
        page = results.page(session, job, ResultFilter(), after=None, limit=100)
    assert ([result.case.index for result in page.rows], page.more) == ([0, 1], True)


@pytest.mark.usefixtures("little")
def test_one_row_beyond_the_limit_is_still_given(store: Store) -> None:
    suite = suite_of(store, "y" * 5000, "z")
    assert [[case.index for case in chunk] for chunk in cases.stream(store, suite.id)] == [[0], [1]]


@pytest.mark.usefixtures("little")
def test_cases_are_read_in_chunks_that_hold_as_much_text_as_they_may(store: Store) -> None:
    suite = suite_of(store, *[LONG] * 5)
    assert [[case.index for case in chunk] for chunk in cases.stream(store, suite.id)] == [[0, 1], [2, 3], [4]]


@pytest.mark.usefixtures("little")
def test_differences_come_in_such_pages_too(store: Store, job: Job) -> None:
    other = answered(store, Verdict.UNSAFE)
    with store.read() as session:
        page = differences(session, job, job, other, after=None, limit=5)
    assert ([a.case.index for a, _ in page.rows], page.more) == ([0, 1, 2], True)


def test_long_prompts_are_stored_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch, services: Services) -> None:
    monkeypatch.setattr(paging, "MOST_TEXT", 2500)
    stored: list[int] = []
    add = cases.add

    def count(session: Session, suite_id: str, chunk: list[Case]) -> None:
        stored.append(len(chunk))
        add(session, suite_id, chunk)

    monkeypatch.setattr(cases, "add", count)
    suite = upload.store(services, [Case(index, LONG) for index in range(5)], None, tenant="acme")
    assert (stored, suite.size) == ([3, 2], 5)
