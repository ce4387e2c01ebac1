"""The ends of a job: each is reached once, by one of those who try, and stands. The verbs: test_control.py."""

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import text as sql

from service.domain.jobs import Job, StatusReason
from service.domain.lifecycle import JobStatus
from service.domain.specs import SuiteSpec
from service.errors import ConflictError
from service.pipeline import control
from service.pipeline.finish import complete, fail, halt
from service.pipeline.plan import plan
from service.pipeline.services import Services
from service.pipeline.submit import submit
from tests.support.databases import rows
from tests.support.running import now, run
from tests.support.specs import job_spec, scripted
from tests.support.together import together

TENANT = "acme"
REASON = StatusReason("of_a_test", "For the sake of the test.")


@pytest.fixture
def queued(services: Services) -> Job:
    return submit(services, job_spec(3), tenant=TENANT)


@pytest.fixture
def completed(services: Services, queued: Job) -> Job:
    return run(services, queued)


def finished(status: JobStatus) -> float:
    return REGISTRY.get_sample_value("proofhouse_jobs_finished_total", {"status": status.value}) or 0.0


def cancel(services: Services, job: Job) -> Job:
    return control.cancel(services, tenant=TENANT, job_id=job.id)


def delete(services: Services, job: Job) -> None:
    control.delete(services, tenant=TENANT, job_id=job.id)


def all_done(services: Services, job: Job) -> Job:
    """A running job, all of whose batches are done, that nobody has completed yet."""
    plan(services, job.id)
    with services.store.write() as session:
        session.execute(sql("UPDATE batches SET status = 'done'"))
    return now(services, job)


def test_of_several_who_complete_a_job_one_does(services: Services, queued: Job) -> None:
    job = all_done(services, queued)
    before = finished(JobStatus.COMPLETED)
    assert sorted(together(*[lambda: complete(services, job)] * 3)) == [False, False, True]
    assert finished(JobStatus.COMPLETED) == before + 1


def test_of_completing_and_cancelling_at_once_one_wins_and_stands(services: Services, queued: Job) -> None:
    job = all_done(services, queued)

    def cancelling() -> bool:
        try:
            cancel(services, job)
        except ConflictError:
            return False
        return True

    done, cancelled = together(lambda: complete(services, job), cancelling)
    assert done != cancelled
    assert now(services, job).status is (JobStatus.COMPLETED if done else JobStatus.CANCELLED)


def test_a_job_with_an_open_batch_is_not_completed(services: Services, queued: Job) -> None:
    plan(services, queued.id)
    assert not complete(services, queued)


def test_a_failed_job_says_why(services: Services, queued: Job) -> None:
    assert fail(services, queued, REASON)
    assert now(services, queued).status is JobStatus.FAILED
    assert now(services, queued).status_reason == REASON


@pytest.mark.parametrize("end", [fail, halt])
def test_what_has_ended_neither_fails_nor_halts(services: Services, completed: Job, end: object) -> None:
    assert callable(end)
    assert not end(services, completed, REASON)
    assert now(services, completed) == completed


def test_a_halted_job_can_be_resumed(services: Services, queued: Job) -> None:
    plan(services, queued.id)
    assert halt(services, queued, REASON)
    assert control.resume(services, tenant=TENANT, job_id=queued.id).status is JobStatus.RUNNING


def test_a_cancelled_job_is_not_planned_any_more(services: Services, queued: Job) -> None:
    cancel(services, queued)
    assert run(services, queued).status is JobStatus.CANCELLED


def test_deleting_a_job_leaves_nothing_of_it(services: Services) -> None:
    target = scripted({"text": "yes"}, {"error": "server_error"})
    job = run(services, submit(services, job_spec(4, target=target), tenant=TENANT))
    assert rows(services).keys() >= {"jobs", "suites", "cases", "batches", "results", "tallies", "usage"}
    delete(services, job)
    assert rows(services) == {}


def test_deleting_a_cancelled_job_leaves_nothing_of_it(services: Services, queued: Job) -> None:
    cancel(services, queued)
    delete(services, queued)
    assert rows(services) == {}


def test_of_two_jobs_deleted_at_once_neither_leaves_the_suite_they_shared(services: Services, completed: Job) -> None:
    spec = job_spec(1)
    other = submit(services, type(spec)(spec.target, SuiteSpec(suite_id=completed.suite.id), spec.judge), tenant=TENANT)
    cancel(services, other)
    together(lambda: delete(services, completed), lambda: delete(services, other))
    assert rows(services) == {}
