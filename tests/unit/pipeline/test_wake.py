"""Queueing what a job needs next. Several sweepers at once: tests/integration/test_sweepers.py."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from sqlalchemy import text as sql

from service.domain.jobs import Job
from service.domain.lifecycle import JobStatus
from service.pipeline import control
from service.pipeline.plan import plan
from service.pipeline.services import Services
from service.pipeline.submit import submit
from service.pipeline.sweep import sweep
from service.pipeline.wake import wake
from service.settings import Settings
from service.store import batches, waking
from service.store.batches import MAX_ATTEMPTS
from service.store.tables import JobRow
from tests.support.claiming import claim
from tests.support.running import now, run, wind_back
from tests.support.specs import job_spec

TENANT = "acme"


@pytest.fixture
def without_redis(settings: Settings) -> Iterator[Services]:
    """The same database, and a Redis where nothing listens."""
    services = Services.from_settings(replace(settings, redis_url="unix:///nonexistent/redis.sock"))
    yield services
    services.close()


@pytest.fixture
def queued(services: Services) -> Job:
    """A job whose task Redis has lost."""
    job = submit(services, job_spec(70), tenant=TENANT)
    lose_tasks(services)
    return job


@pytest.fixture
def running(services: Services, queued: Job) -> Job:
    """A job of three batches whose task Redis has lost."""
    plan(services, queued.id)
    lose_tasks(services)
    return now(services, queued)


def lose_tasks(services: Services) -> None:
    services.redis.delete(f"rq:queue:{services.queue.name}")


def overdue(services: Services) -> list[str]:
    with services.store.read() as session:
        return [job_id for job_id, _ in waking.overdue(session, JobRow, 100)]


def finish_batches(services: Services, job: Job) -> None:
    """All is done, and whoever did it died before it could complete the job."""
    with services.store.write() as session:
        session.execute(sql("UPDATE batches SET status = 'done', claim = NULL, leased_until = NULL"))


def test_a_queued_job_is_sent_to_be_planned(services: Services, queued: Job) -> None:
    wake(services, queued)
    assert services.queue.waiting() == [f"{queued.id}-plan"]


def test_a_running_job_is_sent_to_be_run_from_its_lowest_free_batch(services: Services, running: Job) -> None:
    claim(services.store, running)
    wake(services, running)
    assert services.queue.waiting() == [f"{running.id}-run-1"]


@pytest.mark.parametrize("state", ["queued", "running"])
def test_waking_a_job_twice_queues_one_task(services: Services, request: pytest.FixtureRequest, state: str) -> None:
    job: Job = request.getfixturevalue(state)
    wake(services, job)
    wake(services, job)
    assert len(services.queue.waiting()) == 1


def test_a_job_with_a_task_that_waits_gets_no_second_one_for_another_batch(services: Services, running: Job) -> None:
    wake(services, running)
    claim(services.store, running)
    wake(services, running)
    assert services.queue.waiting() == [f"{running.id}-run-0"]


def test_a_job_all_of_whose_batches_are_held_needs_no_further_worker(services: Services, running: Job) -> None:
    for _ in range(3):
        claim(services.store, running)
    wake(services, running)
    assert services.queue.waiting() == []


def test_a_job_all_of_whose_batches_are_held_is_not_completed(services: Services, running: Job) -> None:
    for _ in range(3):
        claim(services.store, running)
    wake(services, running)
    assert now(services, running).status is JobStatus.RUNNING


@pytest.mark.parametrize("verb", [control.cancel, control.pause])
def test_a_job_that_was_stopped_is_not_woken(services: Services, running: Job, verb: Callable[..., Job]) -> None:
    wake(services, verb(services, tenant=TENANT, job_id=running.id))
    assert services.queue.waiting() == []


def test_a_job_can_be_woken_without_redis_as_far_as_its_caller_is_concerned(
    without_redis: Services, running: Job
) -> None:
    wake(without_redis, running)
    assert now(without_redis, running).status is JobStatus.RUNNING


@pytest.mark.parametrize("state", ["queued", "running"])
def test_the_sweep_leaves_a_live_job_alone(services: Services, request: pytest.FixtureRequest, state: str) -> None:
    request.getfixturevalue(state)
    assert (sweep(services), services.queue.waiting()) == (0, [])


def test_a_job_whose_worker_renews_its_leases_is_not_woken(services: Services, running: Job) -> None:
    claim(services.store, running)
    wind_back(services)
    with services.store.write() as session:
        batches.renew(session, running.id, "worker")
    assert sweep(services) == 0


@pytest.mark.parametrize(("state", "task"), [("queued", "plan"), ("running", "run-0")])
def test_the_sweep_queues_what_was_lost(
    services: Services, request: pytest.FixtureRequest, state: str, task: str
) -> None:
    job: Job = request.getfixturevalue(state)
    wind_back(services)
    assert sweep(services) == 1
    assert services.queue.waiting() == [f"{job.id}-{task}"]


def test_the_batch_of_a_worker_that_died_is_queued_again(services: Services, running: Job) -> None:
    claim(services.store, running, "died")
    wind_back(services)
    for _ in range(2):
        claim(services.store, running, "lives")
    sweep(services)
    assert services.queue.waiting() == [f"{running.id}-run-0"]


def test_a_job_whose_last_batch_lost_its_worker_too_often_is_woken_to_be_written_off(
    services: Services, running: Job
) -> None:
    for _ in range(MAX_ATTEMPTS):
        claim(services.store, running)
        wind_back(services)
    with services.store.write() as session:
        session.execute(sql("UPDATE batches SET status = 'done', claim = NULL, leased_until = NULL WHERE number > 0"))
    sweep(services)
    assert services.queue.waiting() == [f"{running.id}-run-0"]


def test_a_job_just_woken_is_not_overdue(services: Services, queued: Job) -> None:
    wind_back(services)
    sweep(services)
    assert (overdue(services), sweep(services)) == ([], 0)


def test_without_redis_a_job_stays_due(services: Services, without_redis: Services, queued: Job) -> None:
    wind_back(services)
    sweep(without_redis)
    wind_back(services)
    assert overdue(services) == [queued.id]


def test_once_redis_is_back_the_sweep_queues_what_it_could_not(
    services: Services, without_redis: Services, queued: Job
) -> None:
    wind_back(services)
    sweep(without_redis)
    wind_back(services)
    sweep(services)
    assert services.queue.waiting() == [f"{queued.id}-plan"]


def test_a_job_with_all_batches_done_is_completed_by_the_sweep(services: Services, running: Job) -> None:
    finish_batches(services, running)
    wind_back(services)
    sweep(services)
    assert now(services, running).status is JobStatus.COMPLETED


def test_a_job_completed_by_the_sweep_needs_no_redis(without_redis: Services, running: Job) -> None:
    finish_batches(without_redis, running)
    with without_redis.store.write() as session:
        session.execute(sql("UPDATE jobs SET wake_at = 0"))
    sweep(without_redis)
    assert now(without_redis, running).status is JobStatus.COMPLETED


def test_a_job_that_has_ended_is_never_overdue(services: Services, running: Job) -> None:
    run(services, running)
    wind_back(services)
    assert (overdue(services), sweep(services)) == ([], 0)


def test_the_sweep_takes_the_longest_silent_first(services: Services) -> None:
    made = [submit(services, job_spec(1), tenant=TENANT).id for _ in range(3)]
    lose_tasks(services)
    with services.store.write() as session:
        for moment, job_id in enumerate(reversed(made)):
            session.execute(sql("UPDATE jobs SET wake_at = :moment WHERE id = :id"), {"moment": moment, "id": job_id})
    assert sweep(services, limit=2) == 2
    assert services.queue.waiting() == [f"{made[2]}-plan", f"{made[1]}-plan"]
