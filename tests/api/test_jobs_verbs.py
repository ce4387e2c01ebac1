"""POST /v1/jobs/{id}/cancel, pause, resume and retry."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from service.domain.lifecycle import JobStatus
from service.pipeline.services import Services
from service.store import jobs
from tests.api.conftest import UNKNOWN_JOB, assert_problem, created, finish, pointers, spec

VERBS = ("cancel", "pause", "resume", "retry")


def do(client: FlaskClient, job_id: str, verb: str) -> str:
    response = client.post(f"/v1/jobs/{job_id}/{verb}")
    assert response.status_code == 200, response.text
    assert still(response.json) == still(client.get(f"/v1/jobs/{job_id}").json)
    status: str = response.json["status"]
    return status


def still(job: dict[str, Any]) -> dict[str, Any]:
    """The job without what changes from moment to moment while it runs."""
    progress = {
        name: value for name, value in job["progress"].items() if name not in {"rate_per_second", "eta_seconds"}
    }
    return job | {"progress": progress}


def test_cancel_and_again(client: FlaskClient, queued_job: str) -> None:
    assert do(client, queued_job, "cancel") == "cancelled"
    assert do(client, queued_job, "cancel") == "cancelled"
    assert client.get(f"/v1/jobs/{queued_job}").json["status_reason"]["code"] == "cancelled"


def test_pause_and_resume_and_again(client: FlaskClient, queued_job: str) -> None:
    assert do(client, queued_job, "pause") == "paused"
    assert do(client, queued_job, "pause") == "paused"
    assert do(client, queued_job, "resume") == "queued"
    assert do(client, queued_job, "resume") == "queued"


def test_a_running_job_can_be_cancelled(client: FlaskClient, services: Services, queued_job: str) -> None:
    with services.store.write() as session:
        jobs.move(session, queued_job, JobStatus.GENERATING)
        jobs.move(session, queued_job, JobStatus.RUNNING)
    assert do(client, queued_job, "cancel") == "cancelled"


def test_resume_under_other_limits(client: FlaskClient) -> None:
    job_id = created(client, spec(limits={"max_requests": 1}))
    assert client.get(f"/v1/jobs/{job_id}").json["limits"]["max_requests"] == 1
    client.post(f"/v1/jobs/{job_id}/pause")
    response = client.post(f"/v1/jobs/{job_id}/resume", json={"limits": {"max_total_tokens": 10}})
    assert response.json["limits"] == {"max_requests": None, "max_total_tokens": 10, "max_duration_seconds": None}


def test_resume_refuses_what_is_no_limit(client: FlaskClient, queued_job: str) -> None:
    body = assert_problem(
        client.post(f"/v1/jobs/{queued_job}/resume", json={"limits": {"max_requests": 0}}), 422, "validation_failed"
    )
    assert pointers(body) == ["/limits/max_requests"]
    assert client.post(f"/v1/jobs/{queued_job}/resume", data="x", content_type="text/plain").status_code == 415


def test_retry_runs_errors_again(client: FlaskClient, services: Services) -> None:
    replies = [{}, {"error": "server_error"}]
    job_id = finish(services, created(client, spec(4, target={"type": "scripted", "replies": replies})))
    assert client.get(f"/v1/jobs/{job_id}").json["progress"]["errors"] == 2
    assert do(client, job_id, "retry") == "running"
    assert client.get(f"/v1/jobs/{job_id}").json["progress"]["done"] == 2


@pytest.mark.parametrize("verb", ["cancel", "pause", "resume"])
def test_what_a_completed_job_refuses(client: FlaskClient, finished_job: str, verb: str) -> None:
    assert_problem(client.post(f"/v1/jobs/{finished_job}/{verb}"), 409, "job_ended")


def test_only_completed_jobs_are_retried(client: FlaskClient, queued_job: str) -> None:
    assert_problem(client.post(f"/v1/jobs/{queued_job}/retry"), 409, "job_not_completed")


@pytest.mark.parametrize("verb", VERBS)
def test_unknown(client: FlaskClient, verb: str) -> None:
    assert_problem(client.post(f"/v1/jobs/{UNKNOWN_JOB}/{verb}"), 404, "job_not_found")
