import threading
import time
from collections import Counter

import pytest
from sqlalchemy import select
from sqlalchemy import text as sql

from service.domain.jobs import Job
from service.domain.lifecycle import JobStatus
from service.errors import StaleClaimError
from service.store import batches, jobs, results, waking
from service.store.batches import LEASE_SECONDS, MAX_ATTEMPTS, Batch
from service.store.session import Store, database_now
from service.store.tables import BatchRow, JobRow
from tests.support.claiming import claim, try_to_claim
from tests.unit.store.made import (
    at_once,
    failed,
    lapse,
    new_job,
    now,
    outcome,
    running_job,
    set_column,
)


@pytest.fixture
def job(store: Store) -> Job:
    """A running job of three batches of two cases each."""
    return running_job(store, 6, size=2)


def fence(store: Store, batch: Batch, token: str = "a") -> bool:
    with store.write() as session:
        return batches.fence(session, batch, token)


def close(store: Store, batch: Batch) -> None:
    with store.write() as session:
        batches.close(session, batch)


def hand_back(store: Store, job: Job, token: str = "a") -> None:
    with store.write() as session:
        batches.hand_back(session, job.id, token)


def take_exhausted(store: Store, job: Job, token: str = "writer-off") -> list[int]:
    with store.write() as session:
        return [batch.number for batch in batches.take_exhausted(session, job.id, token)]


def attempts(store: Store, job: Job) -> list[int]:
    with store.read() as session:
        query = sql("SELECT attempts FROM batches WHERE job_id = :id ORDER BY number")
        return list(session.scalars(query, {"id": job.id}))


def lease_left(store: Store, batch: Batch) -> float:
    with store.read() as session:
        query = select(BatchRow.leased_until - database_now()).where(batches._is(batch))
        left = session.scalar(query)
    assert left is not None
    return left


def exhaust(store: Store, job: Job) -> Batch:
    """Let the lowest batch lose its worker as often as it may, while another worker keeps the rest."""
    batch = claim(store, job, "dies")
    while try_to_claim(store, job, "keeper"):
        pass
    for number in range(1, MAX_ATTEMPTS):
        lapse(store)
        with store.write() as session:
            batches.renew(session, job.id, "keeper")
        assert claim(store, job, f"dies-{number}") == batch
    hand_back(store, job, "keeper")
    lapse(store)
    return batch


def test_batches_are_claimed_lowest_first_until_none_is_left(store: Store, job: Job) -> None:
    claimed = [claim(store, job) for _ in range(3)]
    assert claimed == [Batch(job.id, 0, 0, 1), Batch(job.id, 1, 2, 3), Batch(job.id, 2, 4, 5)]
    assert try_to_claim(store, job) is None


def test_a_claim_takes_batches_of_its_own_job_alone(store: Store, job: Job) -> None:
    other = running_job(store, 2)
    assert claim(store, other).job_id == other.id
    assert try_to_claim(store, other) is None


@pytest.fixture
def single(store: Store) -> Job:
    """A running job of one batch of two cases."""
    return running_job(store, 2, size=2)


def test_a_lapsed_claim_passes_to_another_worker(store: Store, single: Job) -> None:
    lost = claim(store, single, "a")
    lapse(store)
    assert claim(store, single, "b") == lost


def test_a_lapsed_claim_is_taken_over_once_nothing_else_is_to_be_had(store: Store, job: Job) -> None:
    """After an outage of the database all have lapsed, but whoever holds answers is about to come back for them."""
    claim(store, job, "a")
    lapse(store)
    assert [claim(store, job, "b").number for _ in range(3)] == [1, 2, 0]


def test_a_lapsed_claim_is_no_new_work_for_who_holds_it(store: Store, job: Job) -> None:
    """Or else it would run the batch twice at a time: after an outage it may claim before it renews."""
    assert claim(store, job, "w1").number == 0
    lapse(store)
    assert claim(store, job, "w1").number == 1


def test_a_batch_that_was_lost_and_is_open_again_is_no_new_work_for_who_lost_it(store: Store, single: Job) -> None:
    """Calls for it may still be under way there."""
    lost = claim(store, single, "a")
    lapse(store)
    claim(store, single, "b")
    hand_back(store, single, "b")
    with store.write() as session:
        assert batches.claim_next(session, single.id, "a", known={lost.number}) is None
    assert claim(store, single, "b") == lost


def test_a_batch_claimed_by_a_commit_that_was_not_answered_is_given_first(store: Store, job: Job) -> None:
    with store.write() as session:
        unheard = batches.claim_next(session, job.id, "a")
        assert batches.claim_next(session, job.id, "a") == unheard
    assert attempts(store, job) == [1, 0, 0]


def test_each_batch_is_claimed_once_by_claimers_at_once(store: Store) -> None:
    job = running_job(store, 40, size=1)

    def claim_all(token: str) -> list[int]:
        taken = list[int]()
        while batch := try_to_claim(store, job, token):
            taken.append(batch.number)
        return taken

    taken = at_once(lambda: claim_all("a"), lambda: claim_all("b"))
    assert sorted([*taken[0], *taken[1]]) == list(range(40))
    assert attempts(store, job) == [1] * 40


def test_lapsed_batches_are_taken_over_once_by_claimers_at_once(store: Store) -> None:
    job = running_job(store, 10, size=1)
    for _ in range(10):
        claim(store, job, "dead")
    lapse(store)

    def claim_all(token: str) -> list[int]:
        taken = list[int]()
        while batch := try_to_claim(store, job, token):
            taken.append(batch.number)
        return taken

    taken = Counter(number for numbers in at_once(*(lambda t=t: claim_all(t) for t in "abc")) for number in numbers)
    assert taken == dict.fromkeys(range(10), 1)


def test_the_fence_lets_the_holder_through(store: Store, job: Job) -> None:
    assert fence(store, claim(store, job))


def test_the_fence_renews_the_lease(store: Store, job: Job) -> None:
    batch = claim(store, job)
    lapse(store)
    fence(store, batch)
    assert lease_left(store, batch) == pytest.approx(LEASE_SECONDS, abs=3)


def test_the_fence_stops_who_has_been_replaced(store: Store, single: Job) -> None:
    batch = claim(store, single, "a")
    lapse(store)
    claim(store, single, "b")
    assert not fence(store, batch, "a")


def test_the_fence_stops_who_has_handed_the_batch_back(store: Store, job: Job) -> None:
    batch = claim(store, job)
    hand_back(store, job)
    assert not fence(store, batch)


def test_the_fence_stops_everybody_once_the_batch_is_done(store: Store, job: Job) -> None:
    batch = claim(store, job)
    close(store, batch)
    assert not fence(store, batch)


def test_a_paused_job_still_takes_what_was_under_way(store: Store, job: Job) -> None:
    batch = claim(store, job)
    set_column(store, job.id, "status", JobStatus.PAUSED.value)
    assert fence(store, batch)


@pytest.mark.parametrize("status", [JobStatus.CANCELLED, JobStatus.FAILED, JobStatus.COMPLETED, JobStatus.QUEUED])
def test_the_fence_stops_everybody_once_the_job_is_stopped(store: Store, job: Job, status: JobStatus) -> None:
    batch = claim(store, job)
    set_column(store, job.id, "status", status.value)
    with pytest.raises(StaleClaimError, match=f"{job.id} was stopped"):
        fence(store, batch)


def test_the_fence_stops_everybody_once_the_job_is_deleted(store: Store, job: Job) -> None:
    batch = claim(store, job)
    with store.write() as session:
        jobs.delete_job(session, job)
    with pytest.raises(StaleClaimError):
        fence(store, batch)


def test_a_job_cannot_be_stopped_between_fence_and_commit(store: Store, job: Job) -> None:
    batch, order = claim(store, job), list[str]()

    def write() -> None:
        with store.write() as session:
            batches.fence(session, batch, "a")
            started.set()
            time.sleep(0.3)
            order.append("written")

    def cancel() -> None:
        started.wait(10)
        with store.write() as session:
            jobs.move(session, job.id, JobStatus.CANCELLED)
        order.append("cancelled")

    started = threading.Event()
    at_once(write, cancel)
    assert order == ["written", "cancelled"]


def test_renewing_extends_every_batch_that_is_held(store: Store, job: Job) -> None:
    held = [claim(store, job), claim(store, job)]
    lapse(store)
    with store.write() as session:
        batches.renew(session, job.id, "a")
    assert [lease_left(store, batch) for batch in held] == pytest.approx([LEASE_SECONDS] * 2, abs=3)


def test_renewing_extends_nobody_elses_batch(store: Store, job: Job) -> None:
    other = claim(store, job, "b")
    lapse(store)
    with store.write() as session:
        batches.renew(session, job.id, "a")
    assert lease_left(store, other) < 0


def test_renewing_tells_the_state_of_the_job(store: Store, job: Job) -> None:
    with store.write() as session:
        assert batches.renew(session, job.id, "a") is JobStatus.RUNNING
        assert batches.renew(session, "job_deleted", "a") is None


def test_renewing_postpones_the_waking_of_the_job(store: Store, job: Job) -> None:
    set_column(store, job.id, "wake_at", 1.0)
    with store.write() as session:
        batches.renew(session, job.id, "a")
        assert waking.overdue(session, JobRow, 10) == []


def test_what_is_handed_back_is_to_be_had_at_once(store: Store, job: Job) -> None:
    batch = claim(store, job, "a")
    hand_back(store, job, "a")
    assert claim(store, job, "b") == batch


def test_handing_back_does_not_count_as_an_attempt(store: Store, job: Job) -> None:
    for _ in range(2 * MAX_ATTEMPTS):
        claim(store, job)
        hand_back(store, job)
    assert attempts(store, job) == [0, 0, 0]


def test_losing_a_worker_counts_as_an_attempt(store: Store, single: Job) -> None:
    claim(store, single, "a")
    lapse(store)
    claim(store, single, "b")
    assert attempts(store, single) == [2]


def test_who_has_been_replaced_hands_nothing_back(store: Store, single: Job) -> None:
    batch = claim(store, single, "a")
    lapse(store)
    claim(store, single, "b")
    hand_back(store, single, "a")
    assert fence(store, batch, "b")


def test_handing_back_leaves_done_batches_done(store: Store, job: Job) -> None:
    batch = claim(store, job)
    close(store, batch)
    hand_back(store, job)
    assert not fence(store, batch)


def test_a_batch_that_lost_its_worker_too_often_is_claimed_no_more(store: Store, job: Job) -> None:
    exhaust(store, job)
    assert claim(store, job).number == 1


def test_a_batch_that_lost_its_worker_too_often_is_taken_to_be_written_off(store: Store, job: Job) -> None:
    batch = exhaust(store, job)
    assert take_exhausted(store, job) == [batch.number]
    assert fence(store, batch, "writer-off")


def test_a_batch_on_its_last_attempt_is_not_written_off_while_its_worker_lives(store: Store, single: Job) -> None:
    for number in range(MAX_ATTEMPTS - 1):
        claim(store, single, f"dies-{number}")
        lapse(store)
    claim(store, single, "lives")
    assert attempts(store, single) == [MAX_ATTEMPTS]
    assert take_exhausted(store, single) == []


def test_an_exhausted_batch_is_written_off_by_one_of_several_at_once(store: Store, job: Job) -> None:
    exhaust(store, job)
    taken = at_once(lambda: take_exhausted(store, job, "a"), lambda: take_exhausted(store, job, "b"))
    assert sorted(taken) == [[], [0]]


def test_an_exhausted_batch_whose_writer_off_dies_passes_to_the_next(store: Store, job: Job) -> None:
    exhaust(store, job)
    take_exhausted(store, job, "a")
    lapse(store)
    assert take_exhausted(store, job, "b") == [0]


def test_an_exhausted_batch_that_is_handed_back_does_not_get_lost(store: Store, job: Job) -> None:
    batch = exhaust(store, job)
    take_exhausted(store, job, "a")
    hand_back(store, job, "a")
    assert claim(store, job, "b") == batch


def next_takeable(store: Store, job: Job) -> int | None:
    with store.read() as session:
        return batches.next_takeable(session, job.id)


def test_of_what_nobody_works_on_open_batches_go_first_as_they_do_when_claimed(store: Store, job: Job) -> None:
    claim(store, job, "a")
    lapse(store)
    takeable = list[int | None]()
    for _ in range(3):
        takeable.append(next_takeable(store, job))
        assert claim(store, job, "b").number == takeable[-1]
    assert takeable == [1, 2, 0]


def test_a_batch_that_lost_its_worker_too_often_is_still_to_be_taken(store: Store, single: Job) -> None:
    batch = exhaust(store, single)
    assert next_takeable(store, single) == batch.number


def test_no_batch_is_takeable_once_all_are_claimed_or_done(store: Store, job: Job) -> None:
    close(store, claim(store, job))
    claim(store, job)
    claim(store, job)
    assert next_takeable(store, job) is None


def test_claimants_are_counted_once_each_while_their_claims_live(store: Store, job: Job) -> None:
    def count() -> int:
        with store.read() as session:
            return batches.count_claimants(session, job.id)

    assert count() == 0
    for token in ("a", "a", "b"):
        claim(store, job, token)
    assert count() == 2
    lapse(store)
    assert count() == 0


def test_only_finished_batches_with_errors_are_opened_again(store: Store) -> None:
    job = running_job(store, 6, size=2)
    finish_all(store, job, in_error={2})
    with store.write() as session:
        assert batches.reopen_errors(session, job.id, 6) == 1
    assert claim(store, job).number == 1
    assert try_to_claim(store, job) is None


def test_an_error_in_a_later_repeat_opens_the_batch_of_that_repeat(store: Store) -> None:
    job = running_job(store, 4, repeats=2, size=2)
    finish_all(store, job, in_error={7})
    with store.write() as session:
        assert batches.reopen_errors(session, job.id, 4) == 1
    assert claim(store, job) == Batch(job.id, 3, 6, 7)


def test_a_batch_opened_again_has_all_its_attempts(store: Store) -> None:
    job = running_job(store, 2, size=2)
    for number in range(MAX_ATTEMPTS - 1):
        claim(store, job, f"dies-{number}")
        lapse(store)
    finish_all(store, job, in_error={0})
    with store.write() as session:
        batches.reopen_errors(session, job.id, 2)
    assert attempts(store, job) == [0]


def test_another_jobs_errors_open_nothing(store: Store) -> None:
    job, other = running_job(store, 2, size=2), running_job(store, 2, size=2)
    finish_all(store, job, in_error=set())
    finish_all(store, other, in_error={0})
    with store.write() as session:
        assert batches.reopen_errors(session, job.id, 2) == 0


def test_stored_runs_are_those_of_the_batch_alone(store: Store) -> None:
    job = running_job(store, 4, repeats=2, size=2)
    finish_all(store, job, in_error=set())
    with store.read() as session:
        assert batches.stored_runs(session, Batch(job.id, 2, 4, 5), 4) == {4, 5}


def test_a_job_is_planned_once_it_has_batches(store: Store, job: Job) -> None:
    unplanned = new_job(store)
    with store.read() as session:
        assert [batches.any_planned(session, each.id) for each in (job, unplanned)] == [True, False]


def finish_all(store: Store, job: Job, in_error: set[int]) -> None:
    """Store a result for every run, in error for those, and close the batches."""
    while batch := try_to_claim(store, job):
        runs = [(run, *divmod(run, job.suite.size)) for run in range(batch.first, batch.last + 1)]
        outcomes = [(failed if run in in_error else outcome)(index, repeat) for run, repeat, index in runs]
        with store.write() as session:
            results.save(session, now(store, job.id), batch, "a", outcomes)
