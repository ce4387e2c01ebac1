from typing import Any

import pytest
from sqlalchemy import text as sql

from service.domain.completions import Completion, ErrorCode, Judgement
from service.domain.jobs import Job, Outcome
from service.domain.lifecycle import JobStatus
from service.domain.verdicts import Disposition, Verdict
from service.pipeline import control
from service.pipeline.feed import unfold
from service.pipeline.plan import BATCH_SIZE, plan
from service.pipeline.services import Services
from service.pipeline.submit import submit
from service.pipeline.sweep import sweep
from service.pipeline.writeoff import write_off_lost_batches
from service.store import batches, results
from service.store.batches import MAX_ATTEMPTS, Batch
from tests.support.claiming import claim
from tests.support.running import assert_one_result_a_run, counts, now, run, wind_back
from tests.support.specs import job_spec

TENANT = "acme"
SAFE = Judgement(Verdict.SAFE, "harmless")
CASES = 3 * BATCH_SIZE
DONE_BEFORE = 5
"""Cases of the lost batch that had a result before its worker was lost."""


@pytest.fixture
def job(services: Services) -> Job:
    """A running job of three batches."""
    job = submit(services, job_spec(CASES), tenant=TENANT)
    plan(services, job.id)
    return now(services, job)


def lose_worker(services: Services, job: Job, token: str, done: int = 0) -> Batch:
    """Let a worker claim the lowest batch, another the rest, store so many results, and be heard of no more."""
    with services.store.write() as session:
        batches.renew(session, job.id, "keeper")
        batch, kept = batches.claim_next(session, job.id, token), set[int]()
        while other := batches.claim_next(session, job.id, "keeper", kept):
            kept.add(other.number)
    assert batch
    outcomes = [
        Outcome(run.case, run.repeat, Completion("an answer"), Disposition.ANSWERED, SAFE)
        for run in unfold(services, job, batch)[:done]
    ]
    with services.store.write() as session:
        results.save(session, job, batch, token, outcomes)
    wind_back(services)
    return batch


@pytest.fixture
def lost(services: Services, job: Job) -> Batch:
    """The first batch, which has lost its worker as often as it may; the last of them had stored a few results."""
    for attempt in range(1, MAX_ATTEMPTS):
        lose_worker(services, job, f"worker {attempt}")
    batch = lose_worker(services, job, "the last", DONE_BEFORE)
    with services.store.write() as session:
        batches.hand_back(session, job.id, "keeper")
    return batch


def in_error(services: Services, job: Job) -> dict[int, ErrorCode]:
    stored = results.stream(services.store, job, results.ResultFilter())
    return {result.case.index: result.error.code for result in stored if result.error}


def batch_states(services: Services, job: Job) -> list[str]:
    with services.store.read() as session:
        query = sql("SELECT status FROM batches WHERE job_id = :id ORDER BY number")
        return list(session.scalars(query, {"id": job.id}))


def test_the_cases_of_a_lost_batch_that_have_no_result_end_in_an_error(
    services: Services, job: Job, lost: Batch
) -> None:
    write_off_lost_batches(services, job, "writer-off")
    expected = range(lost.first + DONE_BEFORE, lost.last + 1)
    assert in_error(services, job) == dict.fromkeys(expected, ErrorCode.WORKER_LOST)


def test_what_the_lost_batch_had_achieved_stays(services: Services, job: Job, lost: Batch) -> None:
    write_off_lost_batches(services, job, "writer-off")
    assert counts(services, job).safe == DONE_BEFORE


def test_the_other_batches_are_left_alone(services: Services, job: Job, lost: Batch) -> None:
    write_off_lost_batches(services, job, "writer-off")
    assert batch_states(services, job) == ["done", "open", "open"]
    assert counts(services, job).done == BATCH_SIZE


def test_the_job_goes_on_with_the_rest_and_completes(services: Services, job: Job, lost: Batch) -> None:
    job = run(services, job)
    assert job.status is JobStatus.COMPLETED
    assert_one_result_a_run(services, job)
    assert counts(services, job).errors == BATCH_SIZE - DONE_BEFORE


def test_the_sweeper_queues_a_task_for_a_lost_batch(services: Services, job: Job, lost: Batch) -> None:
    for _ in range(2):
        claim(services.store, job, "lives")
    services.redis.delete(f"rq:queue:{services.queue.name}")
    assert sweep(services) == 1
    assert services.queue.waiting() == [f"{job.id}-run-0"]


def test_a_batch_that_still_has_an_attempt_is_not_written_off(services: Services, job: Job) -> None:
    for attempt in range(1, MAX_ATTEMPTS):
        lose_worker(services, job, f"worker {attempt}")
    write_off_lost_batches(services, job, "writer-off")
    assert batch_states(services, job) == ["claimed"] * 3
    assert counts(services, job).done == 0


def test_the_last_batch_being_written_off_completes_the_job(services: Services) -> None:
    job = submit(services, job_spec(3), tenant=TENANT)
    plan(services, job.id)
    for attempt in range(MAX_ATTEMPTS):
        lose_worker(services, job, f"worker {attempt}")
    write_off_lost_batches(services, now(services, job), "writer-off")
    assert now(services, job).status is JobStatus.COMPLETED
    assert counts(services, job).errors == 3


def test_a_cancellation_at_this_moment_is_no_error_and_adds_nothing(
    services: Services, job: Job, lost: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cancel_first(*args: Any) -> None:
        control.cancel(services, tenant=TENANT, job_id=job.id)
        write_off_lost_batches(*args)

    monkeypatch.setattr("service.pipeline.execute.write_off_lost_batches", cancel_first)
    job = run(services, job)
    assert job.status is JobStatus.CANCELLED
    assert counts(services, job).done == DONE_BEFORE


def test_what_was_written_off_can_be_retried(services: Services, job: Job, lost: Batch) -> None:
    job = run(services, job)
    control.retry(services, tenant=TENANT, job_id=job.id)
    job = run(services, job)
    assert job.status is JobStatus.COMPLETED
    assert counts(services, job).errors == 0
    assert_one_result_a_run(services, job)
