"""GET /v1/suites, one of them, its cases and its coverage."""

import csv
import io
import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.conftest import UNKNOWN_SUITE, assert_problem
from tests.support.databases import on_both

pytestmark = on_both

NDJSON = {"Accept": "application/x-ndjson"}
CASES = [
    {"prompt": "How?", "category": "violence", "style": "slang", "technique": "logical_appeal", "language": "en"},
    {"prompt": '=HYPERLINK("x"), "quoted"\nand more', "category": "self_harm"},
    {"prompt": "¿Cómo?", "language": "es"},
]


def made(client: FlaskClient, cases: list[dict[str, Any]] = CASES, **fields: Any) -> dict[str, Any]:
    response = client.post("/v1/suites", json={"cases": cases, **fields})
    assert response.status_code == 201, response.text
    suite: dict[str, Any] = response.json
    return suite


def test_newest_first_in_pages(client: FlaskClient) -> None:
    names = [made(client, name=f"suite {number}")["name"] for number in range(5)]
    first = client.get("/v1/suites?limit=3").json
    made(client, name="later")
    second = client.get(f"/v1/suites?limit=3&cursor={first['next_cursor']}").json
    assert [suite["name"] for suite in [*first["data"], *second["data"]]] == names[::-1]
    assert second["next_cursor"] is None


def test_by_status(client: FlaskClient) -> None:
    made(client)
    generating = client.post("/v1/suites", json={"generator": "matrix", "limit": 3}).json
    assert [suite["id"] for suite in client.get("/v1/suites?status=generating").json["data"]] == [generating["id"]]
    assert len(client.get("/v1/suites?status=ready").json["data"]) == 1


def test_what_jobs_make_for_themselves_is_not_listed_but_can_be_looked_at(client: FlaskClient, queued_job: str) -> None:
    assert client.get("/v1/suites").json["data"] == []
    suite = client.get(f"/v1/jobs/{queued_job}").json["suite"]["id"]
    assert client.get(f"/v1/suites/{suite}").json["size"] == 3


def test_cases_in_pages(client: FlaskClient) -> None:
    path = made(client)["links"]["cases"]
    first = client.get(f"{path}?limit=2").json
    second = client.get(f"{path}?limit=2&cursor={first['next_cursor']}").json
    assert [case["prompt"] for case in [*first["data"], *second["data"]]] == [case["prompt"] for case in CASES]
    assert second["next_cursor"] is None
    assert first["data"][1] == {
        "index": 1, "prompt": CASES[1]["prompt"], "category": "self_harm", "style": None, "technique": None,
        "language": "en", "attack": None, "provenance": None,
    }  # fmt: skip


def test_json_lines_uploaded_again_give_the_same_digest(client: FlaskClient) -> None:
    suite = made(client)
    lines = client.get(suite["links"]["cases"], headers=NDJSON)
    assert lines.content_type == "application/x-ndjson"
    assert [json.loads(line)["index"] for line in lines.text.splitlines()] == [0, 1, 2]
    again = client.post("/v1/suites", data=lines.data, headers={"Content-Type": "application/x-ndjson"})
    assert again.json["digest"] == suite["digest"]


def test_csv_holds_no_formula(client: FlaskClient) -> None:
    answer = client.get(made(client)["links"]["cases"], headers={"Accept": "text/csv"})
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["prompt"] for row in rows] == ["How?", "'" + CASES[1]["prompt"], "¿Cómo?"]
    assert (rows[2]["language"], rows[2]["category"]) == ("es", "")


def test_csv_uploaded_again_gives_the_same_suite(client: FlaskClient) -> None:
    beginnings = [
        "=",
        "+",
        "-",
        "@",
        "\t",
        "\r",
        "\n",
        "\uff1d",
        "\uff0b",
        "\uff0d",
        "\uff20",
        "'",
        "''",
        "'=",
        '"',
        ",",
        ";",
    ]
    cases = [{"prompt": f"{beginning}1+1\r\n{beginning}"} for beginning in beginnings]
    suite = made(client, [*CASES, *cases])
    exported = client.get(suite["links"]["cases"], headers={"Accept": "text/csv"}).data
    rows = list(csv.DictReader(io.StringIO(exported.decode(), newline="")))
    assert not [row for row in rows for cell in row.values() if cell.startswith(tuple(beginnings[:11]))]
    again = client.post("/v1/suites", data=exported, headers={"Content-Type": "text/csv"})
    assert again.json["digest"] == suite["digest"]


def test_an_apostrophe_in_a_file_of_ones_own_stays(client: FlaskClient) -> None:
    suite = client.post(
        "/v1/suites", data="index,prompt\n1,'=1+1\n2,'twas\n", headers={"Content-Type": "text/csv"}
    ).json
    prompts = [case["prompt"] for case in client.get(suite["links"]["cases"]).json["data"]]
    assert prompts == ["'=1+1", "'twas"]


def test_all_cases_of_a_suite_that_is_not_ready(client: FlaskClient) -> None:
    suite = client.post("/v1/suites", json={"generator": "matrix", "limit": 3}).json
    assert_problem(client.get(suite["links"]["cases"], headers=NDJSON), 409, "suite_not_ready")
    assert client.get(suite["links"]["cases"]).json["data"] == []


def test_coverage_counts_what_has_no_feature_too(client: FlaskClient) -> None:
    cells = client.get(made(client, [*CASES, CASES[0]])["links"]["coverage"]).json["cells"]
    found = {(cell["category"], cell["style"], cell["technique"], cell["language"]): cell["count"] for cell in cells}
    assert found == {
        ("violence", "slang", "logical_appeal", "en"): 2,
        ("self_harm", None, None, "en"): 1,
        (None, None, None, "es"): 1,
    }


@pytest.mark.parametrize("path", ["", "/cases", "/coverage"])
def test_unknown_and_anothers(client: FlaskClient, stranger: FlaskClient, path: str) -> None:
    suite = made(client)["id"]
    assert_problem(client.get(f"/v1/suites/{UNKNOWN_SUITE}{path}"), 404, "suite_not_found")
    assert_problem(stranger.get(f"/v1/suites/{suite}{path}"), 404, "suite_not_found")
    assert stranger.get("/v1/suites").json["data"] == []


@pytest.mark.parametrize("path", ["/v1/suites?cursor=x", "/v1/suites?cursor=eyJ2IjogMX0"])
def test_a_cursor_that_is_none(client: FlaskClient, path: str) -> None:
    assert_problem(client.get(path), 422, "invalid_cursor")
