"""How long a running job has stored nothing: what the alert on jobs without progress is made of."""

import pytest
from sqlalchemy import text as sql

from service.domain.jobs import Job
from service.domain.lifecycle import JobStatus
from service.store import jobs, results, waking
from service.store.session import Store
from tests.support.claiming import claim
from tests.unit.store.made import new_job, outcome, running_job, set_column


def stall(store: Store) -> float:
    with store.read() as session:
        return waking.longest_stall_seconds(session)


def began(store: Store, seconds_ago: float) -> Job:
    """A job that began to run so long ago and has stored nothing."""
    job = running_job(store)
    with store.write() as session:
        session.execute(sql("UPDATE jobs SET status = 'queued' WHERE id = :id"), {"id": job.id})
        assert jobs.move(session, job.id, JobStatus.RUNNING)
        now = session.scalar(sql("SELECT running_since FROM jobs WHERE id = :id"), {"id": job.id})
    set_column(store, job.id, "running_since", now - seconds_ago)
    return job


def store_one(store: Store, job: Job) -> None:
    batch = claim(store, job, "token")
    with store.write() as session:
        results.save(session, job, batch, "token", [outcome(batch.first)])


def test_it_is_0_while_no_job_runs(store: Store) -> None:
    new_job(store)
    assert stall(store) == 0


def test_a_job_that_has_stored_nothing_counts_from_its_start(store: Store) -> None:
    began(store, 500)
    assert stall(store) == pytest.approx(500, abs=5)


def test_a_stored_result_ends_the_stall(store: Store) -> None:
    store_one(store, began(store, 500))
    assert stall(store) == pytest.approx(0, abs=5)


def test_a_later_result_is_noted_too(store: Store) -> None:
    job = began(store, 500)
    store_one(store, job)
    with store.write() as session:
        session.execute(sql("UPDATE usage SET counted_at = counted_at - 300"))
    assert stall(store) == pytest.approx(300, abs=5)
    store_one(store, job)
    assert stall(store) == pytest.approx(0, abs=5)


def test_a_resumed_job_counts_from_when_it_was_resumed(store: Store) -> None:
    job = began(store, 500)
    store_one(store, job)
    with store.write() as session:
        session.execute(sql("UPDATE usage SET counted_at = counted_at - 300"))
        assert jobs.move(session, job.id, JobStatus.PAUSED)
    assert stall(store) == 0
    with store.write() as session:
        assert jobs.move(session, job.id, JobStatus.RUNNING)
    assert stall(store) == pytest.approx(0, abs=5)


def test_of_several_the_one_that_waits_longest_counts(store: Store) -> None:
    began(store, 100)
    began(store, 700)
    store_one(store, began(store, 900))
    assert stall(store) == pytest.approx(700, abs=5)
