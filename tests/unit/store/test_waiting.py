"""How long a queued job has waited without a worker having begun it: what the alert on starving jobs is made of."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from service.domain.lifecycle import JobStatus
from service.store import jobs, waking
from service.store.session import Store
from service.store.tables import JobRow
from tests.unit.store.made import new_job


def wait(store: Store) -> float:
    with store.read() as session:
        return waking.longest_wait_seconds(session)


def queued(store: Store, seconds_ago: float) -> str:
    """The id of a job that was made so long ago."""
    job = new_job(store)
    created = datetime.now(UTC) - timedelta(seconds=seconds_ago)
    with store.write() as session:
        session.execute(update(JobRow).where(JobRow.id == job.id).values(created_at=created))
    return job.id


def test_it_is_0_while_no_job_waits(store: Store) -> None:
    assert wait(store) == 0


def test_of_several_the_oldest_counts(store: Store) -> None:
    queued(store, 100)
    queued(store, 700)
    assert wait(store) == pytest.approx(700, abs=5)


@pytest.mark.parametrize("status", [each for each in JobStatus if each is not JobStatus.QUEUED])
def test_what_is_not_queued_does_not_wait(store: Store, status: JobStatus) -> None:
    job_id = queued(store, 700)
    queued(store, 100)
    with store.write() as session:
        if not jobs.move(session, job_id, status):
            assert jobs.move(session, job_id, JobStatus.RUNNING)
            assert jobs.move(session, job_id, status)
    assert wait(store) == pytest.approx(100, abs=5)
