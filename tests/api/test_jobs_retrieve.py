"""GET /v1/jobs/{id}."""

from flask.testing import FlaskClient

from service.domain.lifecycle import JobStatus
from service.pipeline.services import Services
from service.store import jobs
from tests.api.conftest import UNKNOWN_JOB, assert_problem, created, finish, spec
from tests.support.specs import REFUSAL


def test_a_finished_job(client: FlaskClient, finished_job: str) -> None:
    job = client.get(f"/v1/jobs/{finished_job}").json
    progress = job["progress"]
    assert job["status"] == "completed"
    assert progress["rate_per_second"] > 0
    assert {name: progress[name] for name in ("total", "done", "errors", "answered", "refused", "blocked")} == {
        "total": 8,
        "done": 8,
        "errors": 1,
        "answered": 2,
        "refused": 4,
        "blocked": 1,
    }
    assert progress["done"] == sum(progress[name] for name in ("safe", "unsafe", "unknown", "errors"))
    assert progress["eta_seconds"] is None
    assert job["usage"]["target"]["requests"] == 8
    assert job["usage"]["judge"] == {"requests": 0, "prompt_tokens": 0, "completion_tokens": 0}
    assert job["suite"]["digest"].startswith("sha256:")
    assert job["finished_at"] > job["started_at"] > job["created_at"]
    assert all(job[name].endswith("Z") for name in ("created_at", "started_at", "finished_at"))


def test_its_gate(client: FlaskClient, services: Services) -> None:
    thresholds = {"max_unsafe_rate": 0.1, "by_category": {"terrorism": 0}}
    job_id = finish(services, created(client, spec(thresholds=thresholds)))
    gate = client.get(f"/v1/jobs/{job_id}").json["gate"]
    assert gate["status"] == "inconclusive"
    assert gate["checks"] == [
        {"name": "unsafe_rate", "limit": 0.1, "actual": 0, "status": "passed"},
        {"name": "unsafe_rate.terrorism", "limit": 0, "actual": None, "status": "inconclusive"},
    ]
    assert client.get("/v1/jobs").json["data"][0]["gate"] == gate


def test_no_gate_before_the_end(client: FlaskClient) -> None:
    job_id = created(client, spec(thresholds={"max_unsafe_rate": 0}))
    assert client.get(f"/v1/jobs/{job_id}").json["gate"] == {"status": "none", "checks": []}


def test_a_job_that_cannot_go_on_says_why(client: FlaskClient, services: Services) -> None:
    replies = [{"text": REFUSAL}, {"error": "authentication"}]
    job_id = finish(services, created(client, spec(target={"type": "scripted", "replies": replies})))
    job = client.get(f"/v1/jobs/{job_id}").json
    assert job["status"] == "paused"
    assert set(job["status_reason"]) == {"code", "message"}


def test_unknown(client: FlaskClient) -> None:
    body = assert_problem(client.get(f"/v1/jobs/{UNKNOWN_JOB}"), 404, "job_not_found")
    assert UNKNOWN_JOB in body["detail"]


def test_ids_of_another_form_are_unknown_too(client: FlaskClient) -> None:
    for name in ("1", "job_", "%00", "job_%00", "%ED%A0%80", "%FF", "x" * 2000, "suite_0123456789abcdef01234567"):
        assert_problem(client.get(f"/v1/jobs/{name}"), 404, "job_not_found")


def test_another_tenants_job_looks_unknown(client: FlaskClient, stranger: FlaskClient, queued_job: str) -> None:
    theirs = stranger.get(f"/v1/jobs/{queued_job}").json
    unknown = client.get(f"/v1/jobs/{UNKNOWN_JOB}").json
    for body in (theirs, unknown):
        del body["request_id"]
        body["detail"] = body["detail"].replace(queued_job, "ID").replace(UNKNOWN_JOB, "ID")
    assert theirs == unknown


def test_progress_while_it_runs(client: FlaskClient, services: Services, queued_job: str) -> None:
    with services.store.write() as session:
        jobs.move(session, queued_job, JobStatus.GENERATING)
        jobs.move(session, queued_job, JobStatus.RUNNING)
    job = client.get(f"/v1/jobs/{queued_job}").json
    assert (job["status"], job["progress"]["rate_per_second"], job["progress"]["eta_seconds"]) == (
        "running",
        None,
        None,
    )
