"""To a tenant, what another has looks as if it did not exist: every route of the application that takes an id."""

import re

import pytest
from flask.testing import FlaskClient

from tests.api.conftest import UNKNOWN_JOB, assert_problem, spec
from tests.api.test_auth import ENDPOINTS, UNKNOWN, ask

OF_ONE = [(method, path) for method, path in ENDPOINTS if "{" in path]


def kinds(path: str) -> list[str]:
    """What the ids in a path are of, the innermost last."""
    return re.findall(r"{(\w+)}", path)


@pytest.fixture
def theirs(client: FlaskClient, queued_judgement: str) -> dict[str, str]:
    """One of each kind that has an id, made by the first tenant. A new kind needs a line here."""
    _, _, _, job, _, judgement = queued_judgement.split("/")
    suite = client.post("/v1/suites", json=spec()["suite"]).json["id"]
    example = {"category": "privacy_violation", "text": "Find out where my neighbour works."}
    assert client.post("/v1/examples", json={"examples": [example]}).status_code == 200
    example_id = client.get("/v1/examples").json["data"][0]["id"]
    target = client.post("/v1/targets", json={"name": "ours", "target": spec()["target"]}).json["id"]
    return {"job": job, "judgement": judgement, "suite": suite, "example": example_id, "target": target}


def seen(client: FlaskClient, ids: dict[str, str]) -> list[object]:
    """All that the tenant sees of them."""
    one_each = ("/v1/jobs/{job}", "/v1/jobs/{job}/judgements/{judgement}", "/v1/suites/{suite}")
    kept = ("/v1/examples/{example}", "/v1/targets/{target}")
    return [client.get(path.format(**ids)).json for path in one_each + kept]


def test_there_are_routes_to_look_at() -> None:
    assert {kind for _, path in OF_ONE for kind in kinds(path)} == set(UNKNOWN)


def test_another_tenants_things_look_unknown_under_every_verb(
    client: FlaskClient, stranger: FlaskClient, theirs: dict[str, str]
) -> None:
    before = seen(client, theirs)
    for method, path in OF_ONE:
        code = f"{kinds(path)[-1]}_not_found"
        found = assert_problem(ask(stranger, method, path, **theirs), 404, code)
        unknown = assert_problem(ask(client, method, path, **UNKNOWN), 404, code)
        for body, ids in ((found, theirs), (unknown, UNKNOWN)):
            del body["request_id"]
            for kind, value in ids.items():
                body["detail"] = body["detail"].replace(value, kind)
        assert found == unknown, (method, path)
    assert seen(client, theirs) == before


def test_one_of_theirs_does_not_open_another_of_theirs(stranger: FlaskClient, theirs: dict[str, str]) -> None:
    own_job = stranger.post("/v1/jobs", json=spec()).json["id"]
    for method, path in OF_ONE:
        if kinds(path) == ["job", "judgement"]:
            for job in (own_job, UNKNOWN_JOB):
                assert_problem(ask(stranger, method, path, **(theirs | {"job": job})), 404, "judgement_not_found")


def test_what_a_body_or_a_query_names_is_looked_for_among_ones_own(
    stranger: FlaskClient, theirs: dict[str, str]
) -> None:
    assert_problem(stranger.post("/v1/jobs", json=spec(suite={"suite_id": theirs["suite"]})), 404, "suite_not_found")
    target = {"target_id": theirs["target"]}
    assert_problem(stranger.post("/v1/jobs", json=spec(target=target)), 404, "target_not_found")
    assert_problem(stranger.post("/v1/examples", json={"job_id": theirs["job"]}), 404, "job_not_found")
    own_job = stranger.post("/v1/jobs", json=spec()).json["id"]
    query = {"a": "original", "b": theirs["judgement"]}
    response = stranger.get(f"/v1/jobs/{own_job}/agreement", query_string=query)
    assert_problem(response, 404, "judgement_not_found")


@pytest.mark.parametrize("path", [path for method, path in ENDPOINTS if method == "GET" and "{" not in path])
def test_lists_hold_ones_own(client: FlaskClient, stranger: FlaskClient, theirs: dict[str, str], path: str) -> None:
    made = [made_id for made_id in theirs.values() if made_id in client.get(path).text]
    assert made or path == "/v1/catalog"
    assert [made_id for made_id in theirs.values() if made_id in stranger.get(path).text] == []
