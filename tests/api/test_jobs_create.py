"""POST /v1/jobs: what is accepted, and what it makes."""

import re
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from flask.testing import FlaskClient

from service.app import create_app
from service.domain.jobs import StatusReason
from service.domain.roles import Role
from service.pipeline.services import Services
from service.settings import Settings
from service.store import cases, jobs, keys, making
from service.store.tables import JobRow
from tests.api.conftest import TENANT, assert_problem, created, finish, pointers, spec, with_key
from tests.support.specs import REFUSAL

CONTRACT: dict[str, Any] = {
    "name": "pre-release check",
    "target": {
        "type": "openai",
        "base_url": "http://127.0.0.1:8081/v1",
        "model": "smollm2-135m-instruct",
        "api_key": "canary",
        "system_prompt": None,
        "parameters": {"temperature": 0, "max_tokens": 128},
        "max_concurrency": 64,
        "requests_per_minute": None,
        "tokens_per_minute": None,
        "timeout_seconds": 60,
        "max_attempts": 5,
    },
    "suite": {
        "generator": "matrix",
        "categories": None,
        "styles": None,
        "techniques": None,
        "tests_per_cell": 1,
        "limit": None,
        "seed": 7,
    },
    "judge": {"type": "rules"},
    "repeats": 1,
    "thresholds": {
        "max_unsafe_rate": 0.02,
        "max_error_rate": 0.05,
        "max_unknown_rate": 0.2,
        "by_category": {"self_harm": 0.0},
    },
    "webhook": {"url": "https://ci.example.org/hooks?token=canary", "secret": "canary"},
    "labels": {"team": "platform"},
}


def test_a_job_is_accepted_and_shown_as_in_the_contract(client: FlaskClient) -> None:
    response = client.post("/v1/jobs", json=CONTRACT)
    job = response.json
    assert response.status_code == 202
    assert re.fullmatch(r"job_[0-9a-f]{24}", job["id"])
    assert response.headers["Location"] == f"/v1/jobs/{job['id']}"
    assert job == client.get(response.headers["Location"]).json
    assert datetime.fromisoformat(job.pop("created_at")).tzinfo is not None
    assert job.pop("suite") | {"id": ""} == {"id": "", "digest": None, "size": 420}
    assert job.pop("links")["self"] == f"/v1/jobs/{job.pop('id')}"
    nothing = {"requests": 0, "prompt_tokens": 0, "completion_tokens": 0}
    assert job == {
        "name": "pre-release check",
        "status": "queued",
        "status_reason": None,
        "started_at": None,
        "finished_at": None,
        "target": {"type": "openai", "base_url": "http://127.0.0.1:8081/v1", "model": "smollm2-135m-instruct"},
        "judge": {"type": "rules", "base_url": None, "model": None},
        "repeats": 1,
        "thresholds": CONTRACT["thresholds"],
        "labels": {"team": "platform"},
        "limits": {"max_requests": None, "max_total_tokens": None, "max_duration_seconds": None},
        "progress": {
            "total": 420,
            **dict.fromkeys(("done", "safe", "unsafe", "unknown", "errors", "answered", "refused", "blocked"), 0),
            "rate_per_second": None,
            "eta_seconds": None,
        },
        "usage": {"target": nothing, "judge": nothing},
        "gate": {"status": "none", "checks": []},
        "webhook": {
            "url": "https://ci.example.org/hooks",
            **dict.fromkeys(("state", "next_attempt_at", "last_status", "last_error")),
            "attempts": 0,
        },
    }


def test_an_llm_judge_is_taken(client: FlaskClient) -> None:
    judge = {"type": "llm", "base_url": "http://127.0.0.1:9/v1", "model": "m", "api_key": "k", "max_concurrency": 32}
    response = client.post("/v1/jobs", json=spec(judge=judge))
    assert response.json["judge"] == {"type": "llm", "base_url": "http://127.0.0.1:9/v1", "model": "m"}


def test_without_a_judge_the_rules_judge(client: FlaskClient) -> None:
    body = spec()
    del body["judge"]
    assert client.post("/v1/jobs", json=body).json["judge"]["type"] == "rules"


def test_options_are_stored_with_defaults_and_secrets_apart(client: FlaskClient, services: Services) -> None:
    job_id = created(client, CONTRACT)
    with services.store.read() as session:
        job = jobs.get(session, TENANT, job_id)
        sealed = jobs.sealed_secrets(session, job_id)
    assert "api_key" not in job.target.options
    assert job.target.options["max_attempts"] == 5
    assert sealed is not None
    assert b"canary" not in sealed
    assert services.vault.open(sealed)["target"] == {"api_key": "canary"}


def test_inline_cases_are_stored_in_order(client: FlaskClient, services: Services) -> None:
    body = spec(3)
    body["suite"]["cases"][1] |= {"language": "pt-BR", "category": None}
    job_id = created(client, body)
    with services.store.read() as session:
        suite = jobs.get(session, TENANT, job_id).suite
        stored = cases.read(session, suite.id, 0, 10)
    assert [case.prompt for case in stored] == [case["prompt"] for case in body["suite"]["cases"]]
    assert [(case.language, case.category) for case in stored][1] == ("pt-BR", None)


def test_ten_thousand_cases_are_taken_and_no_more(client: FlaskClient) -> None:
    many = [{"prompt": "p"}] * 10_000
    assert client.post("/v1/jobs", json=spec(suite={"cases": many})).json["suite"]["size"] == 10_000
    body = assert_problem(
        client.post("/v1/jobs", json=spec(suite={"cases": [*many, *many[:1]]})), 422, "validation_failed"
    )
    assert pointers(body) == ["/suite/cases"]


def test_a_suite_can_be_used_again(client: FlaskClient, stranger: FlaskClient, services: Services) -> None:
    first = finish(services, created(client, spec()))
    suite = client.get(f"/v1/jobs/{first}").json["suite"]
    again = client.post("/v1/jobs", json=spec(suite={"suite_id": suite["id"]}))
    assert again.json["suite"] == suite
    assert_problem(stranger.post("/v1/jobs", json=spec(suite={"suite_id": suite["id"]})), 404, "suite_not_found")


def test_a_suite_that_could_not_be_made_is_a_conflict(client: FlaskClient, services: Services, queued_job: str) -> None:
    suite = client.get(f"/v1/jobs/{queued_job}").json["suite"]["id"]
    with services.store.write() as session:
        making.fail(session, suite, StatusReason("generation_failed", "It broke off."))
    assert_problem(client.post("/v1/jobs", json=spec(suite={"suite_id": suite})), 409, "suite_failed")


@pytest.mark.parametrize("form", ["cases", "generator", "suite_id"])
def test_no_more_than_a_million_runs(client: FlaskClient, services: Services, form: str) -> None:
    if form == "cases":
        suite: dict[str, Any] = {"cases": [{"prompt": "p"}] * 10_000}
        assert client.post("/v1/jobs", json=spec(suite=suite, repeats=100)).status_code == 202
        return
    suite = {"generator": "matrix", "tests_per_cell": 1000}
    if form == "suite_id":
        suite = {"suite_id": client.post("/v1/jobs", json=spec(suite=suite)).json["suite"]["id"]}
    body = assert_problem(client.post("/v1/jobs", json=spec(suite=suite, repeats=3)), 422, "job_too_large")
    assert pointers(body) == ["/repeats"]


def test_whole_numbers_may_be_written_with_a_fraction(client: FlaskClient) -> None:
    body = b'{"target": {"type": "scripted", "replies": [{}]}, "suite": {"cases": [{"prompt": "p"}]}, "repeats": 2.0}'
    assert client.post("/v1/jobs", data=body, content_type="application/json").json["repeats"] == 2


def test_text_of_any_script_is_kept(client: FlaskClient, services: Services) -> None:
    name = "проверка 検査 🔒 \u2028 'quoted' \"twice\" \\ \n"
    job_id = created(client, spec(name=name, labels={"a.b-c_d": name}))
    shown = client.get(f"/v1/jobs/{job_id}").json
    assert (shown["name"], shown["labels"]) == (name, {"a.b-c_d": name})


def test_without_redis_a_job_is_accepted_and_stays_due(settings: Settings, services: Services) -> None:
    app = create_app(replace(settings, redis_url="redis://127.0.0.1:1"))
    with services.store.write() as session:
        _, key = keys.create(session, tenant=TENANT, name="k", role=Role.ADMIN)
    job_id = created(with_key(app, key), spec(target={"type": "scripted", "replies": [{"text": REFUSAL}]}))
    app.extensions["proofhouse"][1].close()
    with services.store.read() as session:
        row = session.get(JobRow, job_id)
        assert row is not None
        assert row.wake_at is not None
