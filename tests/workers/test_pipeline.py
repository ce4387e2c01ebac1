"""The pipeline from submit to completed, tasks run in this process, on both databases."""

import threading

import pytest

from service.domain.lifecycle import JobStatus
from service.domain.specs import Limits
from service.errors import ConflictError
from service.pipeline import control
from service.pipeline.services import Services
from service.pipeline.submit import submit
from tests.support.running import assert_one_result_a_run, counts, now, run
from tests.support.specs import REFUSAL, job_spec, scripted

TENANT = "acme"
ERROR = {"error": "server_error"}


def test_a_job_runs_to_completion_with_one_result_a_case_and_repeat(services: Services) -> None:
    job = run(services, submit(services, job_spec(40, repeats=2), tenant=TENANT))
    assert job.status is JobStatus.COMPLETED
    assert_one_result_a_run(services, job)
    assert counts(services, job).safe == counts(services, job).refused == 80


def test_a_job_paused_in_the_middle_goes_on_where_it_was(services: Services) -> None:
    target = scripted({"text": REFUSAL, "delay_ms": 50}, max_concurrency=4)
    job = submit(services, job_spec(160, target=target), tenant=TENANT)
    pause = threading.Timer(0.8, lambda: control.pause(services, tenant=TENANT, job_id=job.id))
    pause.start()
    job = run(services, job)
    pause.join()
    assert job.status is JobStatus.PAUSED
    assert 0 < counts(services, job).done < 160
    assert control.resume(services, tenant=TENANT, job_id=job.id).status is JobStatus.RUNNING
    job = run(services, job)
    assert job.status is JobStatus.COMPLETED
    assert_one_result_a_run(services, job)


def test_a_job_paused_before_it_began_is_planned_after_resuming(services: Services) -> None:
    job = submit(services, job_spec(5), tenant=TENANT)
    assert control.pause(services, tenant=TENANT, job_id=job.id).status is JobStatus.PAUSED
    assert run(services, job).status is JobStatus.PAUSED
    assert control.resume(services, tenant=TENANT, job_id=job.id).status is JobStatus.QUEUED
    assert run(services, job).status is JobStatus.COMPLETED


def test_retry_runs_again_what_ended_in_error_and_nothing_else(services: Services) -> None:
    target = scripted({"text": REFUSAL}, {"text": REFUSAL}, {"text": REFUSAL}, ERROR, max_concurrency=4)
    job = run(services, submit(services, job_spec(40, target=target), tenant=TENANT))
    assert job.status is JobStatus.COMPLETED
    assert (counts(services, job).errors, counts(services, job).safe) == (10, 30)
    assert control.retry(services, tenant=TENANT, job_id=job.id).status is JobStatus.RUNNING
    assert (counts(services, job).errors, counts(services, job).safe) == (0, 30)
    job = run(services, job)
    assert job.status is JobStatus.COMPLETED
    assert_one_result_a_run(services, job)


def test_retry_of_a_job_without_errors_changes_nothing(services: Services) -> None:
    job = run(services, submit(services, job_spec(5), tenant=TENANT))
    assert control.retry(services, tenant=TENANT, job_id=job.id) == now(services, job)


@pytest.mark.parametrize("verb", [control.pause, control.resume, control.retry])
def test_a_cancelled_job_takes_no_other_verb(services: Services, verb: object) -> None:
    job = submit(services, job_spec(5), tenant=TENANT)
    control.cancel(services, tenant=TENANT, job_id=job.id)
    with pytest.raises(ConflictError):
        verb(services, tenant=TENANT, job_id=job.id)  # type: ignore[operator]


def test_a_limit_pauses_the_job_and_a_higher_one_lets_it_go_on(services: Services) -> None:
    target = scripted({"text": REFUSAL, "delay_ms": 50}, max_concurrency=4)
    spec = job_spec(200, target=target, limits=Limits(max_requests=40))
    job = run(services, submit(services, spec, tenant=TENANT))
    assert job.status is JobStatus.PAUSED
    assert job.status_reason
    assert job.status_reason.code == "limit_max_requests"
    assert 40 <= counts(services, job).done <= 40 + 60
    control.resume(services, tenant=TENANT, job_id=job.id, limits=Limits(max_requests=1000))
    job = run(services, job)
    assert job.status is JobStatus.COMPLETED
    assert_one_result_a_run(services, job)


def test_a_limit_on_time_pauses_the_job(services: Services) -> None:
    target = scripted({"text": REFUSAL, "delay_ms": 100}, max_concurrency=1)
    spec = job_spec(60, target=target, limits=Limits(max_duration_seconds=1))
    job = run(services, submit(services, spec, tenant=TENANT))
    assert job.status is JobStatus.PAUSED
    assert job.status_reason
    assert job.status_reason.code == "limit_max_duration_seconds"
