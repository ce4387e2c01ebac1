"""Claims on deliveries: one worker at a time, and nobody before it is due."""

import threading
import time
from dataclasses import replace

import pytest
from sqlalchemy import text as sql

from service.domain.deliveries import AttemptResult, Delivery, DeliveryError, DeliveryState
from service.domain.jobs import Job
from service.domain.lifecycle import JobStatus
from service.domain.specs import Webhook
from service.store import deliveries, jobs
from service.store.deliveries import Due
from service.store.session import Store
from tests.support.specs import job_spec
from tests.unit.store.made import at_once, new_job

WEBHOOK = Webhook("https://ci.example.org/hooks", "a secret")


@pytest.fixture
def job(store: Store) -> Job:
    """An ended job whose webhook is to be told so."""
    job = new_job(store, spec=replace(job_spec(4), webhook=WEBHOOK))
    end(store, job)
    return job


def end(store: Store, job: Job) -> None:
    with store.write() as session:
        jobs.move(session, job.id, JobStatus.CANCELLED)
        deliveries.add(session, job)


def claim(store: Store, token: str = "mine", limit: int = 10) -> list[Due]:
    with store.write() as session:
        return deliveries.claim(session, token, limit)


def settle(store: Store, due: Due, token: str, result: AttemptResult, **more: object) -> bool:
    said = {"wait": 0.0, "status": None, "error": None, **more}
    with store.write() as session:
        return deliveries.settle(session, due.id, token, result, **said)  # type: ignore[arg-type]


def lapse(store: Store) -> None:
    """Let every lease and every wait be over."""
    with store.write() as session:
        session.execute(sql("UPDATE deliveries SET due_at = 0 WHERE due_at IS NOT NULL"))


def only(store: Store, job: Job) -> Delivery:
    with store.read() as session:
        (delivery,) = deliveries.page(session, job.id, after=None, limit=10)
    return delivery


def test_a_delivery_is_due_at_once(store: Store, job: Job) -> None:
    (due,) = claim(store)
    assert (due.job.id, due.attempt) == (job.id, 1)
    assert '"type": "job.cancelled"' in due.body


def test_of_several_who_claim_a_delivery_one_has_it(store: Store, job: Job) -> None:
    claimed = at_once(*[lambda token=str(number): claim(store, token) for number in range(4)])
    assert sorted(len(each) for each in claimed) == [0, 0, 0, 1]


def test_no_more_are_claimed_than_wanted_and_those_due_longest_come_first(store: Store) -> None:
    made = [new_job(store, spec=replace(job_spec(4), webhook=WEBHOOK)) for _ in range(3)]
    for age, job in enumerate(made):
        end(store, job)
        with store.write() as session:
            session.execute(
                sql("UPDATE deliveries SET due_at = :due WHERE job_id = :id"), {"due": 10 - age, "id": job.id}
            )
    first = [due.job.id for due in claim(store, "first", 2)]
    rest = [due.job.id for due in claim(store, "second", 2)]
    assert sorted(first) == sorted(job.id for job in made[1:])
    assert rest == [made[0].id]


def test_a_delivery_whose_worker_died_is_to_be_had_when_its_lease_is_over(store: Store, job: Job) -> None:
    claim(store, "dead")
    assert claim(store, "next") == []
    lapse(store)
    (due,) = claim(store, "next")
    assert due.attempt == 2


def test_who_comes_back_after_its_lease_changes_nothing(store: Store, job: Job) -> None:
    (late,) = claim(store, "late")
    lapse(store)
    claim(store, "next")
    assert not settle(store, late, "late", AttemptResult.GIVEN_UP)
    assert only(store, job).state is DeliveryState.WAITING


def test_what_failed_is_not_due_before_its_wait_is_over(store: Store, job: Job) -> None:
    (due,) = claim(store)
    assert settle(store, due, "mine", AttemptResult.RETRIED, wait=60.0, status=500, error=DeliveryError.STATUS)
    assert claim(store) == []
    delivery = only(store, job)
    assert (delivery.state, delivery.attempts, delivery.last_status) == (DeliveryState.WAITING, 1, 500)
    assert delivery.next_attempt_at
    assert 50 < (delivery.next_attempt_at - delivery.created_at).total_seconds() < 120
    lapse(store)
    assert len(claim(store)) == 1


@pytest.mark.parametrize("result", [AttemptResult.DELIVERED, AttemptResult.GONE, AttemptResult.GIVEN_UP])
def test_what_is_over_is_not_due_again(store: Store, job: Job, result: AttemptResult) -> None:
    (due,) = claim(store)
    assert settle(store, due, "mine", result)
    lapse(store)
    assert claim(store) == []
    assert only(store, job).next_attempt_at is None


def test_sending_again_makes_it_due_with_its_attempts_counted_from_the_start(store: Store, job: Job) -> None:
    (due,) = claim(store)
    settle(store, due, "mine", AttemptResult.GIVEN_UP)
    with store.write() as session:
        deliveries.send_again(session, due.id)
    (again,) = claim(store)
    assert (again.id, again.attempt, again.body) == (due.id, 1, due.body)


def test_sending_again_leaves_alone_what_is_being_sent(store: Store, job: Job) -> None:
    (due,) = claim(store, "mine")
    with store.write() as session:
        deliveries.send_again(session, due.id)
    assert claim(store, "another") == []
    assert settle(store, due, "mine", AttemptResult.DELIVERED)


def test_sending_again_waits_for_an_attempt_that_is_just_being_settled(store: Store, job: Job) -> None:
    (due,) = claim(store, "mine")

    def give_up() -> None:
        with store.write() as session:
            deliveries.attempt_of(session, due.id, "mine")
            held.set()
            time.sleep(0.3)
            deliveries.settle(session, due.id, "mine", AttemptResult.GIVEN_UP, wait=0, status=500, error=None)

    def send_again() -> None:
        held.wait(10)
        with store.write() as session:
            deliveries.send_again(session, due.id)

    held = threading.Event()
    at_once(give_up, send_again)
    assert [again.attempt for again in claim(store)] == [1]


def test_the_name_of_what_is_due_next_is_another_for_each_attempt(store: Store, job: Job) -> None:
    names = []
    for _ in range(2):
        with store.read() as session:
            names.append(deliveries.next_due(session))
        claim(store)
        with store.read() as session:
            assert deliveries.next_due(session) is None
        lapse(store)
    assert names == [f"{only(store, job).id}-1", f"{only(store, job).id}-2"]


def test_the_newest_delivery_of_each_job_is_found(store: Store, job: Job) -> None:
    other = new_job(store)
    end(store, job)
    with store.read() as session:
        newest, _ = deliveries.page(session, job.id, after=None, limit=10)
        assert deliveries.newest(session, [job.id, other.id]) == {job.id: newest}


def test_deliveries_come_in_pages_newest_first(store: Store, job: Job) -> None:
    end(store, job)
    with store.read() as session:
        newest, oldest = deliveries.page(session, job.id, after=None, limit=10)
        after = (newest.created_at, newest.id)
        assert newest.created_at >= oldest.created_at
        assert deliveries.page(session, job.id, after=after, limit=10) == [oldest]
