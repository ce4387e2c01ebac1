"""GET /v1/jobs/{id}/agreement."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from service.domain.roles import Role
from tests.api.conftest import UNKNOWN_JOB, UNKNOWN_JUDGEMENT, ClientFor, assert_problem
from tests.support.databases import on_both

pytestmark = on_both

NOTHING = {"safe": 0, "unsafe": 0, "unknown": 0, "error": 0}


def agreement(client: FlaskClient, judgement_path: str, **query: Any) -> dict[str, Any]:
    job, _, judgement = judgement_path.rpartition("/judgements/")
    response = client.get(f"{job}/agreement", query_string={"b": judgement, **query})
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json
    return body


def test_a_judge_that_gives_one_verdict_throughout_agrees_as_chance_would(
    client: FlaskClient, finished_job: str, finished_judgement: str
) -> None:
    """Here safe, unsafe, safe, safe, safe, unsafe, safe and an error; there an error, six unsafe and an error."""
    body = agreement(client, finished_judgement)
    assert body["job_id"] == finished_job
    assert body["confusion"] == {
        "safe": {**NOTHING, "unsafe": 4, "error": 1},
        "unsafe": {**NOTHING, "unsafe": 2},
        "unknown": NOTHING,
        "error": {**NOTHING, "error": 1},
    }
    assert (body["n"], body["agreement"]["count"], body["agreement"]["of"]) == (6, 2, 6)
    assert body["kappa"]["value"] == 0


def test_it_says_who_is_compared(client: FlaskClient, finished_judgement: str) -> None:
    body = agreement(client, finished_judgement)
    assert (body["a"]["judgement"], body["a"]["judge"]["type"]) == ("original", "rules")
    assert body["a"]["name"] is None
    assert (body["b"]["judgement"], body["b"]["judge"]["type"]) == (finished_judgement.rsplit("/", 1)[-1], "harsh")


def test_the_results_where_they_differ_come_with_both_opinions(client: FlaskClient, finished_judgement: str) -> None:
    body = agreement(client, finished_judgement)
    assert [difference["case"]["index"] for difference in body["data"]] == [2, 3, 4, 6]
    first = body["data"][0]
    assert (first["a"]["verdict"], first["b"]["verdict"]) == ("safe", "unsafe")
    assert first["b"] == {"verdict": "unsafe", "confidence": 0.5, "severity": 80, "reason": "harmful", "judge": "harsh"}
    assert first["response"].startswith("I'm sorry")


def test_differences_come_page_by_page(client: FlaskClient, finished_judgement: str) -> None:
    first = agreement(client, finished_judgement, limit=3)
    second = agreement(client, finished_judgement, limit=3, cursor=first["next_cursor"])
    assert [difference["case"]["index"] for difference in first["data"] + second["data"]] == [2, 3, 4, 6]
    assert second["next_cursor"] is None
    assert second["kappa"] == first["kappa"]


def test_a_set_agrees_with_itself(client: FlaskClient, finished_judgement: str) -> None:
    body = agreement(client, finished_judgement, b="original")
    assert (body["n"], body["kappa"], body["data"]) == (7, {"value": 1, "low": 1, "high": 1}, [])


def test_of_one_same_verdict_throughout_kappa_is_null(client: FlaskClient, finished_judgement: str) -> None:
    body = agreement(client, finished_judgement, a=finished_judgement.rsplit("/", 1)[-1])
    assert (body["n"], body["agreement"]["rate"]) == (6, 1)
    assert body["kappa"] == {"value": None, "low": None, "high": None}


def test_with_a_judgement_that_has_not_begun_there_is_nothing_to_compare(
    client: FlaskClient, queued_judgement: str
) -> None:
    body = agreement(client, queued_judgement)
    assert (body["n"], body["agreement"]["rate"], body["kappa"]["value"], body["data"]) == (0, None, None, [])


@pytest.mark.parametrize("side", ["a", "b"])
def test_a_judgement_that_the_job_does_not_have(client: FlaskClient, finished_job: str, side: str) -> None:
    query = {"a": "original", "b": "original", side: UNKNOWN_JUDGEMENT}
    response = client.get(f"/v1/jobs/{finished_job}/agreement", query_string=query)
    assert_problem(response, 404, "judgement_not_found")


def test_what_is_asked_wrongly(client: FlaskClient, finished_job: str) -> None:
    for query in ("", "b=mine", "b=original&limit=0", "b=original&c=original"):
        assert_problem(client.get(f"/v1/jobs/{finished_job}/agreement?{query}"), 422, "validation_failed")


def test_who_may_see_it(client_for: ClientFor, stranger: FlaskClient, client: FlaskClient, finished_job: str) -> None:
    path = f"/v1/jobs/{finished_job}/agreement?b=original"
    assert client_for(Role.READER).get(path).status_code == 200
    assert_problem(stranger.get(path), 404, "job_not_found")
    assert_problem(client.get(f"/v1/jobs/{UNKNOWN_JOB}/agreement?b=original"), 404, "job_not_found")
