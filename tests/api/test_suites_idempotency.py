"""POST /v1/suites with an Idempotency-Key: sent twice, made once."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from service.pipeline.plan import make_suite
from service.pipeline.services import Services
from tests.api.conftest import assert_problem, pointers, spec
from tests.support.databases import on_both

GENERATED: dict[str, Any] = {"generator": "matrix", "limit": 3}
GIVEN: dict[str, Any] = {"name": "mine", "cases": [{"prompt": "How?"}]}
KEY = {"Idempotency-Key": "k"}


def post(client: FlaskClient, body: dict[str, Any]) -> TestResponse:
    return client.post("/v1/suites", json=body, headers=KEY)


@on_both
@pytest.mark.parametrize("body", [GENERATED, GIVEN], ids=["generated", "given"])
def test_the_same_request_again_gives_the_same_suite(client: FlaskClient, body: dict[str, Any]) -> None:
    first, second = post(client, body), post(client, body)
    assert first.json == second.json
    assert first.status_code == second.status_code
    assert first.headers["Location"] == second.headers["Location"]
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert len(client.get("/v1/suites").json["data"]) == 1


def test_the_suite_is_shown_as_it_is_by_then(client: FlaskClient, services: Services) -> None:
    first = post(client, GENERATED)
    make_suite(services, first.json["id"])
    again = post(client, GENERATED)
    assert (again.status_code, again.json["id"], again.json["status"]) == (201, first.json["id"], "ready")


def test_another_body_is_refused_and_so_is_another_address(client: FlaskClient) -> None:
    post(client, GENERATED)
    assert_problem(post(client, GIVEN), 422, "idempotency_key_reused")
    assert_problem(client.post("/v1/jobs", json=spec(), headers=KEY), 422, "idempotency_key_reused")
    assert len(client.get("/v1/suites").json["data"]) == 1


def test_a_suite_that_was_deleted_is_not_made_again(client: FlaskClient) -> None:
    suite = post(client, GIVEN).json["id"]
    assert client.delete(f"/v1/suites/{suite}").status_code == 204
    assert_problem(post(client, GIVEN), 404, "suite_not_found")


def test_keys_of_tenants_are_apart(client: FlaskClient, stranger: FlaskClient) -> None:
    assert post(client, GIVEN).json["id"] != post(stranger, GIVEN).json["id"]


def test_a_refused_request_does_not_use_the_key_up(client: FlaskClient) -> None:
    assert post(client, {"cases": []}).status_code == 422
    assert post(client, GIVEN).status_code == 201


@pytest.mark.parametrize("kind", ["application/x-ndjson", "text/csv", "multipart/form-data; boundary=x"])
def test_a_file_with_a_key_is_refused_rather_than_taken_twice(client: FlaskClient, kind: str) -> None:
    response = client.post("/v1/suites", data=b'{"prompt": "How?"}\n', headers={**KEY, "Content-Type": kind})
    assert pointers(assert_problem(response, 422, "idempotency_key_with_file")) == ["/Idempotency-Key"]
    assert client.get("/v1/suites").json["data"] == []
