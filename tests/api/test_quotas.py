"""What a tenant may use, and what it is told when it wants more."""

import json
import re
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from service.api import context
from service.domain.quotas import Quota
from service.pipeline.plan import make_suite
from service.pipeline.services import Services
from service.settings import Settings
from service.store import quotas
from tests.api.conftest import TENANT, assert_problem, created, judged, spec
from tests.support.databases import on_both


def allow(services: Services, **limits: int) -> None:
    with services.store.write() as session:
        quotas.put(session, TENANT, Quota(**limits))


def test_requests_beyond_the_quota_are_told_when_to_come_back(
    client: FlaskClient, stranger: FlaskClient, services: Services
) -> None:
    allow(services, requests_per_minute=2)
    for left in (1, 0):
        headers = client.get("/v1/jobs").headers
        assert headers["RateLimit-Policy"] == '"requests";q=2;w=60'
        assert re.fullmatch(rf'"requests";r={left};t=([1-9]|[1-5][0-9]|60)', headers["RateLimit"])
    refused = client.get("/v1/jobs")
    assert "2 requests a minute" in assert_problem(refused, 429, "quota_exceeded")["detail"]
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert refused.headers["RateLimit"].startswith('"requests";r=0;')
    assert stranger.get("/v1/jobs").status_code == 200


def test_without_a_limit_nothing_is_said_of_one(client: FlaskClient) -> None:
    assert "RateLimit" not in client.get("/v1/jobs").headers


def test_without_redis_requests_go_uncounted(app: Flask, client: FlaskClient, settings: Settings) -> None:
    away = replace(settings, redis_url="redis://127.0.0.1:1", quota=Quota(requests_per_minute=1))
    app.extensions["proofhouse"][1].close()
    context.attach(app, away)
    assert [client.get("/v1/jobs").status_code for _ in range(2)] == [200, 200]


def test_the_settings_hold_for_a_tenant_without_a_quota_of_its_own(
    app: Flask, client: FlaskClient, services: Services, settings: Settings
) -> None:
    app.extensions["proofhouse"][1].close()
    context.attach(app, replace(settings, quota=Quota(active_jobs=1)))
    created(client, spec())
    assert_problem(client.post("/v1/jobs", json=spec()), 429, "quota_exceeded")
    allow(services)
    created(client, spec())


@on_both
def test_a_job_too_many_is_refused_until_one_has_ended(client: FlaskClient, services: Services) -> None:
    allow(services, active_jobs=1)
    first = created(client, spec())
    client.post(f"/v1/jobs/{first}/pause")
    refused = client.post("/v1/jobs", json=spec())
    assert "1 jobs, judgements and suites" in assert_problem(refused, 429, "quota_exceeded")["detail"]
    assert int(refused.headers["Retry-After"]) > 0
    client.post(f"/v1/jobs/{first}/cancel")
    created(client, spec())


@on_both
def test_cases_of_a_day_are_not_given_back_by_deleting(client: FlaskClient, services: Services) -> None:
    allow(services, cases_per_day=10)
    first = created(client, spec(3, repeats=2))
    refused = client.post("/v1/jobs", json=spec(5))
    assert "would make 11 today, and 10 are allowed" in assert_problem(refused, 429, "quota_exceeded")["detail"]
    assert 0 < int(refused.headers["Retry-After"]) <= 24 * 3600 + 1
    client.post(f"/v1/jobs/{first}/cancel")
    client.delete(f"/v1/jobs/{first}")
    assert_problem(client.post("/v1/jobs", json=spec(5)), 429, "quota_exceeded")
    created(client, spec(4))


def test_a_refused_job_leaves_no_trace(client: FlaskClient, services: Services) -> None:
    allow(services, cases_per_day=1)
    assert_problem(client.post("/v1/jobs", json=spec(2)), 429, "quota_exceeded")
    assert client.get("/v1/jobs").json["data"] == []
    created(client, spec(1))


def test_a_request_sent_twice_is_counted_once(client: FlaskClient, services: Services) -> None:
    allow(services, cases_per_day=3)
    for _ in range(2):
        response = client.post("/v1/jobs", json=spec(2), headers={"Idempotency-Key": "once"})
        assert response.status_code == 202


def test_a_judgement_counts_as_a_job_does(client: FlaskClient, services: Services, finished_job: str) -> None:
    allow(services, cases_per_day=16)
    judged(client, finished_job)
    again = client.post(f"/v1/jobs/{finished_job}/judgements", json={"judge": {"type": "rules"}})
    assert_problem(again, 429, "quota_exceeded")


@on_both
@pytest.mark.parametrize(("short", "enough"), [({"cases_per_day": 8}, {"cases_per_day": 9}), ({"active_jobs": 1}, {})])
def test_a_retry_counts_as_a_job_of_what_it_asks_again(
    client: FlaskClient, services: Services, finished_job: str, short: dict[str, int], enough: dict[str, int]
) -> None:
    path = f"/v1/jobs/{finished_job}"
    if "active_jobs" in short:
        created(client, spec())
    allow(services, **short)
    assert_problem(client.post(f"{path}/retry"), 429, "quota_exceeded")
    refused = client.get(path).json
    assert (refused["status"], refused["progress"]["errors"]) == ("completed", 1)
    allow(services, **enough)
    assert client.post(f"{path}/retry").json["status"] == "running"


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_are_not_counted(client: FlaskClient, services: Services, path: str) -> None:
    allow(services, requests_per_minute=1)
    assert [client.get(path).status_code for _ in range(3)] == [200] * 3


MATRIX = {"generator": "matrix", "limit": 3}


def suite_of(count: int) -> dict[str, object]:
    return {"cases": [{"prompt": f"How, in {number}?"} for number in range(count)]}


@on_both
def test_a_suite_being_made_counts_as_a_job_does(client: FlaskClient, services: Services) -> None:
    allow(services, active_jobs=1)
    suite = client.post("/v1/suites", json=MATRIX)
    assert suite.status_code == 202
    for path, body in (("/v1/suites", MATRIX), ("/v1/jobs", spec())):
        assert (
            "1 jobs, judgements and suites"
            in assert_problem(client.post(path, json=body), 429, "quota_exceeded")["detail"]
        )
    make_suite(services, suite.json["id"])
    created(client, spec())


def test_a_job_and_the_suite_made_for_it_count_as_one(client: FlaskClient, services: Services) -> None:
    allow(services, active_jobs=2)
    created(client, {**spec(), "suite": MATRIX})
    created(client, spec())


@pytest.mark.parametrize("body", [MATRIX, suite_of(3)], ids=["generated", "given"])
def test_cases_of_a_suite_count_on_the_day_it_is_made(
    client: FlaskClient, services: Services, body: dict[str, object]
) -> None:
    allow(services, cases_per_day=5)
    assert client.post("/v1/suites", json=body).status_code in {201, 202}
    refused = client.post("/v1/suites", json=body)
    assert_problem(refused, 429, "quota_exceeded")
    assert int(refused.headers["Retry-After"]) > 0
    assert len(client.get("/v1/suites").json["data"]) == 1
    created(client, spec(2))


@on_both
def test_rows_of_a_file_count_and_a_file_with_too_many_is_read_no_further(
    client: FlaskClient, services: Services
) -> None:
    allow(services, cases_per_day=5)
    rows = [json.dumps({"prompt": f"How, in {number}?"}) for number in range(6)]
    assert_problem(upload(client, rows), 429, "quota_exceeded")
    assert "more cases here than the 5" in assert_problem(upload(client, [*rows, "{"]), 429, "quota_exceeded")["detail"]
    assert client.get("/v1/suites").json["data"] == []
    assert upload(client, rows[:4]).status_code == 201
    assert "than the 1 that are left" in assert_problem(upload(client, rows[:2]), 429, "quota_exceeded")["detail"]


def test_a_file_that_is_refused_for_its_rows_costs_nothing(client: FlaskClient, services: Services) -> None:
    allow(services, cases_per_day=1)
    assert_problem(upload(client, ['{"prompt": "How?"}', "{"]), 422, "invalid_rows")
    assert upload(client, ['{"prompt": "How?"}']).status_code == 201


def upload(client: FlaskClient, rows: list[str]) -> TestResponse:
    return client.post("/v1/suites", data="\n".join(rows), content_type="application/x-ndjson")
