"""Stored targets: given once with their key, used by id."""

import threading
from contextlib import ExitStack
from typing import Any

import pytest
from flask.testing import FlaskClient

from service.api.targets import TRIALS
from service.pipeline import named
from service.pipeline.services import Services
from service.store import jobs
from tests.api.conftest import assert_problem, created, finish, pointers, spec
from tests.support.connects import network
from tests.support.mock_openai import MockOpenAI

CANARY = "canary-7f3a9"


def openai(base_url: str = "http://127.0.0.1:9/v1", **options: Any) -> dict[str, Any]:
    return {"type": "openai", "base_url": base_url, "model": "m", "api_key": CANARY, **options}


def stored(client: FlaskClient, target: dict[str, Any] | None = None, name: str = "production") -> str:
    response = client.post("/v1/targets", json={"name": name, "target": target or spec()["target"]})
    assert response.status_code == 201, response.text
    assert response.headers["Location"] == f"/v1/targets/{response.json['id']}"
    return str(response.json["id"])


def by_id(target_id: str) -> dict[str, Any]:
    return spec(target={"target_id": target_id})


def test_its_key_is_never_shown(client: FlaskClient) -> None:
    path = f"/v1/targets/{stored(client, openai())}"
    shown = client.get(path)
    assert shown.json["target"]["options"]["model"] == "m"
    replaced = client.put(path, json={"name": "other", "target": openai()})
    assert replaced.json["name"] == "other"
    assert CANARY not in shown.text + replaced.text + client.get("/v1/targets").text + client.get("/v1/audit").text


def test_targets_are_listed_newest_first_in_pages(client: FlaskClient, stranger: FlaskClient) -> None:
    ids = [stored(client, name=f"t{number}") for number in range(3)]
    first = client.get("/v1/targets?limit=2").json
    second = client.get(f"/v1/targets?limit=2&cursor={first['next_cursor']}").json
    assert [target["id"] for target in first["data"] + second["data"]] == ids[::-1]
    assert second["next_cursor"] is None
    assert stranger.get("/v1/targets").json["data"] == []


def test_a_name_is_taken_once_a_tenant(client: FlaskClient, stranger: FlaskClient) -> None:
    stored(client)
    stored(stranger)
    body = {"name": "production", "target": spec()["target"]}
    assert_problem(client.post("/v1/targets", json=body), 409, "target_name_taken")
    other = stored(client, name="other")
    assert_problem(client.put(f"/v1/targets/{other}", json=body), 409, "target_name_taken")


def test_a_job_runs_with_the_key_it_was_submitted_with(client: FlaskClient, services: Services) -> None:
    with MockOpenAI() as model:
        target_id = stored(client, openai(model.base_url))
        job_id = created(client, by_id(target_id))
        changed = openai(model.base_url, model="another", api_key="another-key")
        client.put(f"/v1/targets/{target_id}", json={"name": "changed", "target": changed})
        finish(services, job_id)
    assert client.get(f"/v1/jobs/{job_id}").json["target"]["model"] == "m"
    with services.store.read() as session:
        secrets = services.vault.open(jobs.sealed_secrets(session, job_id))
    assert secrets["target"] == {"api_key": CANARY}
    assert client.get(f"/v1/jobs/{job_id}").json["progress"]["errors"] == 0


@pytest.mark.parametrize("target_id", ["target_0123456789abcdef01234567", "another tenant's"])
def test_a_job_on_an_unknown_target_is_refused(client: FlaskClient, stranger: FlaskClient, target_id: str) -> None:
    known = stored(stranger) if target_id == "another tenant's" else target_id
    assert_problem(client.post("/v1/jobs", json=by_id(known)), 404, "target_not_found")
    assert client.get("/v1/jobs").json["data"] == []


@pytest.mark.parametrize("target", [{"target_id": "x"}, {"target_id": 1}])
def test_what_is_no_id_is_pointed_at(client: FlaskClient, target: dict[str, Any]) -> None:
    problem = assert_problem(client.post("/v1/jobs", json=spec(target=target)), 422, "validation_failed")
    assert pointers(problem) == ["/target/target_id"]


def test_nothing_may_stand_beside_an_id(client: FlaskClient) -> None:
    target = {"target_id": stored(client), "model": "m"}
    problem = assert_problem(client.post("/v1/jobs", json=spec(target=target)), 422, "validation_failed")
    assert pointers(problem) == ["/target/model"]


def test_a_target_stays_while_a_job_uses_it(client: FlaskClient) -> None:
    target_id = stored(client)
    job_id = created(client, by_id(target_id))
    assert job_id in assert_problem(client.delete(f"/v1/targets/{target_id}"), 409, "target_in_use")["detail"]
    client.post(f"/v1/jobs/{job_id}/cancel")
    assert client.delete(f"/v1/targets/{target_id}").status_code == 204
    assert_problem(client.get(f"/v1/targets/{target_id}"), 404, "target_not_found")


@pytest.mark.parametrize(("method", "suffix"), [("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/test")])
def test_another_tenants_target_looks_unknown(
    client: FlaskClient, stranger: FlaskClient, method: str, suffix: str
) -> None:
    target_id = stored(client)
    body = {"name": "mine", "target": spec()["target"]} if method == "PUT" else None
    response = stranger.open(f"/v1/targets/{target_id}{suffix}", method=method, json=body)
    assert_problem(response, 404, "target_not_found")
    assert client.get(f"/v1/targets/{target_id}").json["name"] == "production"


def test_a_test_call_reaches_the_model(client: FlaskClient) -> None:
    with MockOpenAI() as model:
        said = client.post(f"/v1/targets/{stored(client, openai(model.base_url))}/test").json
    assert (said["ok"], said["model"], said["error"]) == (True, "m", None)
    assert said["latency_ms"] >= 0


def test_a_test_call_says_why_there_is_no_answer(client: FlaskClient) -> None:
    said = client.post(f"/v1/targets/{stored(client, openai())}/test").json
    assert (said["ok"], said["error"]["code"]) == (False, "unreachable")
    assert "Check target.base_url" in said["error"]["message"]
    assert CANARY not in said["error"]["message"]


def test_a_test_call_is_not_waited_for_without_end(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(named, "TRY_SECONDS", 0.05)
    slow = {"type": "scripted", "replies": [{"text": "late", "delay_ms": 10_000}]}
    said = client.post(f"/v1/targets/{stored(client, slow)}/test").json
    assert (said["ok"], said["error"]["code"]) == (False, "timeout")


def test_a_test_call_does_not_wait_for_a_name_that_is_looked_up_without_end(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(named, "TRY_SECONDS", 0.2)
    answered, waited = threading.Event(), []

    def lost() -> list[str]:
        waited.append(answered.wait(5))
        return ["127.0.0.1"]

    with network("127.0.0.1/32", lost_example=lost) as net:
        said = client.post(f"/v1/targets/{stored(client, openai('http://lost.example/v1'))}/test").json
        assert (net.lookups, waited) == (["lost.example"], [])
        answered.set()
    assert said["error"]["code"] == "timeout"


def test_only_so_many_targets_are_tested_at_once(client: FlaskClient) -> None:
    test = f"/v1/targets/{stored(client)}/test"
    with ExitStack() as held:
        for _ in range(TRIALS.places):
            held.enter_context(TRIALS.place())
        refused = client.post(test)
        assert "again" in assert_problem(refused, 429, "too_many_trials")["detail"]
        assert int(refused.headers["Retry-After"]) > 0
    assert client.post(test).json["ok"]
