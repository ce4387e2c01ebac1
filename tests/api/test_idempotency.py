"""POST /v1/jobs with an Idempotency-Key: sent twice, made once."""

import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.api.conftest import assert_problem, pointers, spec


def post(client: FlaskClient, key: str, body: dict[str, Any]) -> TestResponse:
    return client.post("/v1/jobs", json=body, headers={"Idempotency-Key": key})


def test_the_same_request_again_gives_the_same_job(client: FlaskClient) -> None:
    first, second = post(client, "k", spec()), post(client, "k", spec())
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json["id"] == second.json["id"]
    assert first.headers["Location"] == second.headers["Location"]
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert len(client.get("/v1/jobs").json["data"]) == 1


def test_another_body_is_refused(client: FlaskClient) -> None:
    post(client, "k", spec())
    assert_problem(post(client, "k", spec(name="other")), 422, "idempotency_key_reused")


def test_keys_of_tenants_are_apart(client: FlaskClient, stranger: FlaskClient) -> None:
    assert post(client, "k", spec()).json["id"] != post(stranger, "k", spec()).json["id"]


def test_without_a_key_every_request_makes_a_job(client: FlaskClient) -> None:
    body = json.dumps(spec())
    jobs = {client.post("/v1/jobs", data=body, content_type="application/json").json["id"] for _ in range(2)}
    assert len(jobs) == 2


def test_a_refused_request_does_not_use_the_key_up(client: FlaskClient) -> None:
    assert post(client, "k", spec(repeats=0)).status_code == 422
    assert post(client, "k", spec()).status_code == 202


@pytest.mark.parametrize("key", ["", "k" * 256, "with space", "naïve"])
def test_a_key_must_be_short_and_printable(client: FlaskClient, key: str) -> None:
    body = assert_problem(post(client, key, spec()), 422, "validation_failed")
    assert pointers(body)[0] == "/Idempotency-Key"


def test_the_longest_key(client: FlaskClient) -> None:
    assert post(client, "~" * 255, spec()).status_code == 202
