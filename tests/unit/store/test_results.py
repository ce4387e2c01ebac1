import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest
from sqlalchemy import text as sql
from sqlalchemy.exc import IntegrityError

from service.domain.completions import CallError, Completion, ErrorCode, Judgement, Usage
from service.domain.jobs import Job, Outcome, Result
from service.domain.lifecycle import JobStatus
from service.domain.tallies import Tally
from service.domain.verdicts import Disposition, Verdict
from service.errors import StaleClaimError
from service.llm.replies import MAX_TOKENS
from service.store import batches, results, tallies
from service.store.batches import Batch
from service.store.results import ResultFilter, Saved
from service.store.session import Store
from service.store.tables import ResultRow
from tests.support.claiming import claim
from tests.unit.store.made import ANSWER, FAILURE, SAFE, at_once, failed, lapse, outcome, running_job, set_column

NASTY = "before \x00 between \ud800 after \U0001f600"
STORABLE = "before \N{REPLACEMENT CHARACTER} between ? after \U0001f600"


@pytest.fixture
def job(store: Store) -> Job:
    """A running job of two batches of four cases each."""
    return running_job(store, 8, size=4)


@pytest.fixture
def batch(store: Store, job: Job) -> Batch:
    """The first batch, claimed by `a`."""
    return claim(store, job)


def save(store: Store, job: Job, batch: Batch, *outcomes: Outcome, token: str = "a") -> list[Outcome] | None:
    """Those that were new."""
    with store.write() as session:
        saved = results.save(session, job, batch, token, outcomes)
    return saved.new if saved else None


def stored(store: Store, job: Job, which: ResultFilter | None = None) -> list[Result]:
    return list(results.stream(store, job, which or ResultFilter()))


def tallied(store: Store, job: Job) -> Counter[Tally]:
    with store.read() as session:
        return Counter({replace(tally, count=0): tally.count for tally in tallies.read(session, job.id)})


def recounted(store: Store, job: Job) -> Counter[Tally]:
    return Counter(
        Tally(r.case.category, r.case.style, r.case.technique, r.case.language, r.disposition, r.verdict, 0)
        for r in stored(store, job)
    )


def usage(store: Store, job: Job) -> dict[str, Usage]:
    with store.read() as session:
        return tallies.read_usage(session, job.id)


def any_outcome(index: int, choose: random.Random) -> Outcome:
    judgement = replace(SAFE, verdict=choose.choice(list(Verdict)))
    unread = Judgement(None, "", error=CallError(ErrorCode.MALFORMED_RESPONSE, "no verdict", "judge"))
    answered = outcome(
        index,
        judgement=choose.choice([judgement, judgement, unread]),
        disposition=choose.choice([Disposition.ANSWERED, Disposition.REFUSED, Disposition.BLOCKED]),
    )
    return choose.choice([answered, answered, failed(index)])


def test_an_outcome_comes_back_as_a_result(store: Store, job: Job, batch: Batch) -> None:
    judgement = Judgement(Verdict.UNSAFE, "it explains how", 0.9, 70, "raw words", usage=Usage(1, 20, 2))
    completion = Completion(
        "here is how",
        refusal="no more",
        finish_reason="content_filter",
        blocked_reason="content_filter: violence (high)",
        usage=Usage(3, 7, 5),
        attempts=3,
        latency_ms=120,
    )
    given = outcome(2, completion=completion, judgement=judgement)
    save(store, job, batch, given)
    (result,) = stored(store, job)
    assert result == Result(
        id=result.id,
        case=given.case,
        repeat=0,
        response="here is how",
        refusal="no more",
        truncated=False,
        finish_reason="content_filter",
        blocked_reason="content_filter: violence (high)",
        disposition=Disposition.ANSWERED,
        verdict=Verdict.UNSAFE,
        confidence=0.9,
        severity=70,
        reason="it explains how",
        judge=job.judge.name,
        judge_raw="raw words",
        attempts=3,
        latency_ms=120,
        usage=Usage(prompt_tokens=7, completion_tokens=5),
        error=None,
        created_at=result.created_at,
    )


def test_a_failed_call_comes_back_with_its_error_and_no_verdict(store: Store, job: Job, batch: Batch) -> None:
    save(store, job, batch, failed(0))
    (result,) = stored(store, job)
    assert (result.error, result.verdict, result.disposition) == (FAILURE, None, Disposition.ERROR)


def test_the_apis_own_refusal_is_stored_as_the_response(store: Store, job: Job, batch: Batch) -> None:
    save(store, job, batch, outcome(0, completion=Completion(refusal="I won't."), disposition=Disposition.REFUSED))
    assert [result.response for result in stored(store, job)] == ["I won't."]


def test_saving_gives_what_was_new(store: Store, job: Job, batch: Batch) -> None:
    first, second = outcome(0), outcome(1)
    assert save(store, job, batch, first) == [first]
    assert save(store, job, batch, first, second) == [second]


def test_what_is_stored_is_skipped_even_when_it_now_ends_otherwise(store: Store, job: Job, batch: Batch) -> None:
    save(store, job, batch, outcome(0))
    save(store, job, batch, failed(0))
    assert [result.error for result in stored(store, job)] == [None]


def test_what_is_skipped_is_not_counted_again(store: Store, job: Job, batch: Batch) -> None:
    for _ in range(3):
        save(store, job, batch, outcome(0))
    assert tallied(store, job).total() == 1
    assert usage(store, job)["target"] == ANSWER.usage


def test_saving_nothing_stores_nothing(store: Store, job: Job, batch: Batch) -> None:
    assert save(store, job, batch) == []
    assert usage(store, job) == {}


def test_usage_may_exceed_what_four_bytes_hold(store: Store, job: Job, batch: Batch) -> None:
    """A judge that votes over a million results gets there, and so does a server that counts wrongly."""
    most = replace(ANSWER, usage=Usage(10, 10 * MAX_TOKENS, 10 * MAX_TOKENS))
    save(store, job, batch, *(outcome(index, completion=most) for index in range(3)))
    assert usage(store, job)["target"] == Usage(30, 30 * MAX_TOKENS, 30 * MAX_TOKENS)


def test_a_stale_token_writes_nothing_and_leaves_the_tallies_alone(store: Store, job: Job, batch: Batch) -> None:
    save(store, job, batch, outcome(0))
    lapse(store)
    assert [claim(store, job, "b").number for _ in range(2)] == [1, 0]
    assert save(store, job, batch, outcome(1), token="a") is None
    assert len(stored(store, job)) == tallied(store, job).total() == usage(store, job)["target"].requests == 1


def test_a_cancelled_job_takes_no_results(store: Store, job: Job, batch: Batch) -> None:
    set_column(store, job.id, "status", JobStatus.CANCELLED.value)
    with pytest.raises(StaleClaimError):
        save(store, job, batch, outcome(0))
    assert stored(store, job) == []


def test_a_batch_is_closed_with_the_last_of_its_results_whoever_stored_the_others(
    store: Store, job: Job, batch: Batch
) -> None:
    save(store, job, batch, outcome(0), outcome(1))
    lapse(store)
    assert [claim(store, job, "b").number for _ in range(2)] == [1, 0]
    with store.write() as session:
        assert results.save(session, job, batch, "b", [outcome(2)]) == Saved([outcome(2)], done=False)
        assert results.save(session, job, batch, "b", [outcome(2), outcome(3)]) == Saved([outcome(3)], done=True)
    assert save(store, job, batch, outcome(3), token="b") is None


def test_a_batch_that_is_done_takes_no_more_results(store: Store, job: Job, batch: Batch) -> None:
    with store.write() as session:
        batches.close(session, batch)
    assert save(store, job, batch, outcome(0)) is None


def test_a_transaction_that_fails_leaves_results_and_tallies_as_they_were(store: Store, job: Job, batch: Batch) -> None:
    def save_and_fail() -> None:
        with store.write() as session:
            results.save(session, job, batch, "a", [outcome(0)])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        save_and_fail()
    assert (stored(store, job), tallied(store, job).total(), usage(store, job)) == ([], 0, {})


@pytest.mark.parametrize("seed", range(3))
def test_tallies_equal_a_recount(store: Store, seed: int) -> None:
    choose, job = random.Random(seed), running_job(store, 40, size=40)
    batch = claim(store, job)
    for _ in range(6):
        indices = choose.sample(range(40), 15)
        save(store, job, batch, *(any_outcome(index, choose) for index in indices))
    assert tallied(store, job) == recounted(store, job)


def test_tallies_equal_a_recount_when_workers_save_at_once(store: Store) -> None:
    job = running_job(store, 40, size=10)

    def work(token: str) -> None:
        choose = random.Random(token)
        for _ in range(2):
            batch = claim(store, job, token)
            for index in range(batch.first, batch.last + 1):
                save(store, job, batch, any_outcome(index, choose), token=token)

    at_once(lambda: work("a"), lambda: work("b"))
    assert tallied(store, job) == recounted(store, job)
    assert tallied(store, job).total() == usage(store, job)["target"].requests == 40


def test_removing_errors_removes_their_counts_and_nothing_else(store: Store, job: Job, batch: Batch) -> None:
    save(store, job, batch, outcome(0), failed(1), outcome(2), failed(3))
    with store.write() as session:
        assert results.delete_errors(session, job.id) == 2
    assert [result.case.index for result in stored(store, job)] == [0, 2]
    assert tallied(store, job) == recounted(store, job)


def test_removing_errors_leaves_other_jobs_alone(store: Store, job: Job, batch: Batch) -> None:
    save(store, job, batch, failed(0))
    other = running_job(store, 2)
    with store.write() as session:
        assert results.delete_errors(session, other.id) == 0
    assert len(stored(store, job)) == 1


def test_usage_adds_up_by_role(store: Store, job: Job, batch: Batch) -> None:
    save(store, job, batch, outcome(0), failed(1))
    save(store, job, batch, outcome(2))
    assert usage(store, job) == {"target": Usage(3, 21, 15), "judge": Usage(2, 40, 4)}


@pytest.mark.parametrize(
    ("given", "column"),
    [
        (outcome(0, completion=replace(ANSWER, text=NASTY)), "response"),
        (outcome(0, judgement=replace(SAFE, reason=NASTY)), "reason"),
        (outcome(0, judgement=replace(SAFE, raw=NASTY)), "judge_raw"),
    ],
    ids=["response", "reason", "judge_raw"],
)
def test_nul_and_lone_surrogates_in_model_text_are_storable(
    store: Store, job: Job, batch: Batch, given: Outcome, column: str
) -> None:
    save(store, job, batch, given)
    assert [getattr(result, column) for result in stored(store, job)] == [STORABLE]


def test_nul_and_lone_surrogates_in_an_errors_words_are_storable(store: Store, job: Job, batch: Batch) -> None:
    error = CallError(ErrorCode.SERVER_ERROR, NASTY)
    completion = Completion(error=error)
    save(store, job, batch, outcome(0, completion=completion, judgement=None, disposition=Disposition.ERROR))
    assert [result.error is not None for result in stored(store, job)] == [True]


def test_results_are_read_in_the_order_of_the_suite_repeat_by_repeat(store: Store) -> None:
    job = running_job(store, 4, repeats=2, size=4)
    for repeat in range(2):
        save(store, job, claim(store, job), *(outcome(index, repeat) for index in (3, 1, 0, 2)))
    read = [(result.repeat, result.case.index) for result in stored(store, job)]
    assert read == [(repeat, index) for repeat in range(2) for index in range(4)]


@pytest.mark.parametrize("page", [1, 3, 4, 8])
def test_streaming_gives_every_result_once_whatever_the_page(
    store: Store, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    job = running_job(store, 4, repeats=2, size=4)
    for repeat in range(2):
        save(store, job, claim(store, job), *(outcome(index, repeat) for index in range(4)))
    monkeypatch.setattr(results, "PAGE", page)
    read = [(result.repeat, result.case.index) for result in stored(store, job)]
    assert read == [(repeat, index) for repeat in range(2) for index in range(4)]


@pytest.mark.parametrize(
    ("which", "indices"),
    [
        (ResultFilter(), [0, 1, 2, 3]),
        (ResultFilter(verdict=Verdict.UNSAFE), [1]),
        (ResultFilter(disposition=Disposition.ERROR), [3]),
        (ResultFilter(disposition=Disposition.REFUSED, verdict=Verdict.SAFE), [2]),
        (ResultFilter(category="financial_crime"), [0, 1, 2, 3]),
        (ResultFilter(category="other"), []),
        (ResultFilter(style="slang", technique="logical_appeal", verdict=Verdict.SAFE), [0, 2]),
        (ResultFilter(technique="other"), []),
    ],
)
def test_a_filter_finds_just_what_matches(
    store: Store, job: Job, batch: Batch, which: ResultFilter, indices: Sequence[int]
) -> None:
    unsafe = outcome(1, judgement=replace(SAFE, verdict=Verdict.UNSAFE))
    save(store, job, batch, outcome(0), unsafe, outcome(2, disposition=Disposition.REFUSED), failed(3))
    assert [result.case.index for result in stored(store, job, which)] == indices


def test_another_jobs_results_are_not_read(store: Store, job: Job, batch: Batch) -> None:
    save(store, job, batch, outcome(0))
    assert stored(store, running_job(store, 8)) == []


def test_a_run_has_one_result_whoever_writes_it(store: Store, job: Job, batch: Batch) -> None:
    save(store, job, batch, outcome(0))
    copy = "INSERT INTO results SELECT 'res_other', " + ", ".join(
        column.name for column in ResultRow.__table__.columns if column.name != "id"
    )
    with pytest.raises(IntegrityError), store.write() as session:
        session.execute(sql(f"{copy} FROM results"))
