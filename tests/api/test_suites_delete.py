"""DELETE /v1/suites/{id}."""

from flask.testing import FlaskClient

from service.pipeline.plan import make_suite
from service.pipeline.services import Services
from tests.api.conftest import UNKNOWN_SUITE, assert_problem, created, finish, spec
from tests.api.test_suites_read import made


def test_a_suite_that_no_job_uses(client: FlaskClient) -> None:
    path = made(client)["links"]["self"]
    response = client.delete(path)
    assert (response.status_code, response.data) == (204, b"")
    assert_problem(client.get(path), 404, "suite_not_found")
    assert_problem(client.delete(path), 404, "suite_not_found")


def test_a_suite_that_a_job_uses(client: FlaskClient, services: Services) -> None:
    suite = made(client)
    job = finish(services, created(client, spec(suite={"suite_id": suite["id"]})))
    assert job in assert_problem(client.delete(suite["links"]["self"]), 409, "suite_in_use")["detail"]
    assert client.delete(f"/v1/jobs/{job}").status_code == 204
    assert client.get(suite["links"]["self"]).json["status"] == "ready"
    assert client.delete(suite["links"]["self"]).status_code == 204


def test_a_suite_that_is_being_made_is_made_no_further(client: FlaskClient, services: Services) -> None:
    suite = client.post("/v1/suites", json={"generator": "matrix", "limit": 3}).json
    assert client.delete(suite["links"]["self"]).status_code == 204
    make_suite(services, suite["id"])
    assert_problem(client.get(suite["links"]["self"]), 404, "suite_not_found")


def test_unknown_and_anothers(client: FlaskClient, stranger: FlaskClient) -> None:
    assert_problem(client.delete(f"/v1/suites/{UNKNOWN_SUITE}"), 404, "suite_not_found")
    suite = made(client)
    assert_problem(stranger.delete(suite["links"]["self"]), 404, "suite_not_found")
    assert client.get(suite["links"]["self"]).status_code == 200
