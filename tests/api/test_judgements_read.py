"""GET /v1/jobs/{id}/results and /report with ?judgement=."""

import json
from collections import Counter
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.conftest import UNKNOWN_JUDGEMENT, assert_problem, created, finish, judged, spec
from tests.support.databases import on_both

pytestmark = on_both

NDJSON = {"Accept": "application/x-ndjson"}
BY_THE_JUDGE = {"verdict", "confidence", "severity", "reason", "judge", "judge_raw", "error"}


def read(client: FlaskClient, job_id: str, **query: str) -> list[dict[str, Any]]:
    data: list[dict[str, Any]] = client.get(f"/v1/jobs/{job_id}/results", query_string=query).json["data"]
    return data


def id_of(path: str) -> str:
    return path.rsplit("/", 1)[-1]


def without_verdict(result: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in result.items() if name not in BY_THE_JUDGE}


def test_results_show_its_verdicts_in_place_of_the_jobs(
    client: FlaskClient, finished_job: str, finished_judgement: str
) -> None:
    own, theirs = read(client, finished_job), read(client, finished_job, judgement=id_of(finished_judgement))
    assert [without_verdict(result) for result in theirs] == [without_verdict(result) for result in own]
    assert [result["verdict"] for result in theirs] == [None, *["unsafe"] * 6, None]
    assert (theirs[1]["judge"], theirs[1]["severity"]) == ("harsh", 80)
    assert [result["error"] and result["error"]["stage"] for result in (theirs[0], theirs[7])] == ["judge", "target"]


def test_results_are_the_jobs_own_unless_another_judgement_is_named(
    client: FlaskClient, finished_job: str, finished_judgement: str
) -> None:
    own = read(client, finished_job)
    assert Counter(result["judge"] for result in own) == {"rules": 8}
    assert read(client, finished_job, judgement="original") == own


def test_the_filter_by_verdict_means_its_verdicts(
    client: FlaskClient, finished_job: str, finished_judgement: str
) -> None:
    judgement = id_of(finished_judgement)
    assert read(client, finished_job, judgement=judgement, verdict="safe") == []
    unsafe = read(client, finished_job, judgement=judgement, verdict="unsafe")
    assert [result["case"]["index"] for result in unsafe] == [1, 2, 3, 4, 5, 6]
    refused = read(client, finished_job, judgement=judgement, verdict="unsafe", disposition="refused")
    assert {result["disposition"] for result in refused} == {"refused"}


def test_pages_and_the_stream_hold_the_same(client: FlaskClient, finished_job: str, finished_judgement: str) -> None:
    query = {"judgement": id_of(finished_judgement), "limit": "3"}
    seen, cursor = list[Any](), None
    while True:
        page = client.get(
            f"/v1/jobs/{finished_job}/results", query_string={**query, **({"cursor": cursor} if cursor else {})}
        )
        seen += page.json["data"]
        if (cursor := page.json["next_cursor"]) is None:
            break
    stream = client.get(f"/v1/jobs/{finished_job}/results", query_string=query, headers=NDJSON)
    assert [json.loads(line) for line in stream.text.splitlines()] == seen
    assert len(seen) == 8


def test_a_judgement_under_way_shows_what_it_has(client: FlaskClient, finished_job: str, queued_judgement: str) -> None:
    assert read(client, finished_job, judgement=id_of(queued_judgement)) == []
    report = client.get(f"/v1/jobs/{finished_job}/report?judgement={id_of(queued_judgement)}").json
    assert (report["totals"]["done"], report["gate"]["status"]) == (0, "none")


def test_the_report_counts_by_its_verdicts(client: FlaskClient, finished_job: str, finished_judgement: str) -> None:
    own = client.get(f"/v1/jobs/{finished_job}/report").json
    report = client.get(f"/v1/jobs/{finished_job}/report?judgement={id_of(finished_judgement)}").json
    assert report["totals"] == {**own["totals"], "safe": 0, "unsafe": 6, "unknown": 0, "errors": 2}
    assert report["rates"]["unsafe"]["rate"] == 1
    assert report["by_style"][0]["counts"]["unsafe"] == 6
    assert {name: report[name] for name in ("job", "suite", "target")} == {
        name: own[name] for name in ("job", "suite", "target")
    }


def test_the_report_names_its_judge_and_what_that_cost(
    client: FlaskClient, finished_job: str, finished_judgement: str
) -> None:
    own = client.get(f"/v1/jobs/{finished_job}/report").json
    report = client.get(f"/v1/jobs/{finished_job}/report?judgement={id_of(finished_judgement)}").json
    assert (own["judge"]["type"], report["judge"]["type"]) == ("rules", "harsh")
    assert own["judgement"] is None
    assert report["judgement"]["id"] == id_of(finished_judgement)
    assert report["judgement"]["status"] == "completed"
    assert report["usage"]["target"] == own["usage"]["target"] != {}
    assert report["usage"]["judge"]["requests"] == 6


def test_its_gate_is_not_the_jobs_own(client: FlaskClient, finished_job: str, finished_judgement: str) -> None:
    own = client.get(f"/v1/jobs/{finished_job}/report").json
    report = client.get(f"/v1/jobs/{finished_job}/report?judgement={id_of(finished_judgement)}").json
    assert (own["gate"]["status"], own["gate_of"]) == ("passed", "job")
    assert (report["gate"]["status"], report["gate_of"]) == ("failed", "judgement")
    assert client.get(f"/v1/jobs/{finished_job}").json["gate"] == own["gate"]


@pytest.mark.parametrize("what", ["results", "report"])
def test_a_judgement_that_the_job_does_not_have(
    client: FlaskClient, services: Any, finished_job: str, what: str
) -> None:
    anothers = id_of(judged(client, finish(services, created(client, spec(1)))))
    for judgement in (UNKNOWN_JUDGEMENT, anothers):
        response = client.get(f"/v1/jobs/{finished_job}/{what}?judgement={judgement}")
        assert_problem(response, 404, "judgement_not_found")
    assert_problem(client.get(f"/v1/jobs/{finished_job}/{what}?judgement=mine"), 422, "validation_failed")
