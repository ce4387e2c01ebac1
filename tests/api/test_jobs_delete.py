"""DELETE /v1/jobs/{id}."""

from flask.testing import FlaskClient

from tests.api.conftest import UNKNOWN_JOB, assert_problem


def test_a_finished_job(client: FlaskClient, finished_job: str) -> None:
    response = client.delete(f"/v1/jobs/{finished_job}")
    assert (response.status_code, response.data) == (204, b"")
    assert "Content-Type" not in response.headers
    for path in ("", "/results", "/report"):
        assert_problem(client.get(f"/v1/jobs/{finished_job}{path}"), 404, "job_not_found")
    assert_problem(client.delete(f"/v1/jobs/{finished_job}"), 404, "job_not_found")


def test_a_job_that_has_not_ended(client: FlaskClient, queued_job: str) -> None:
    assert_problem(client.delete(f"/v1/jobs/{queued_job}"), 409, "job_active")
    assert client.get(f"/v1/jobs/{queued_job}").status_code == 200


def test_unknown(client: FlaskClient) -> None:
    assert_problem(client.delete(f"/v1/jobs/{UNKNOWN_JOB}"), 404, "job_not_found")
