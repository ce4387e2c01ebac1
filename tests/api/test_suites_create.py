"""POST /v1/suites."""

import io
import json
from contextlib import ExitStack
from typing import Any

import pytest
from flask.testing import FlaskClient

from service.api.uploading import UPLOADS
from service.domain.catalog import CATEGORIES, STYLES, TECHNIQUES
from service.pipeline.plan import make_suite
from service.pipeline.services import Services
from tests.api.conftest import assert_problem, created, finish, spec

NDJSON = {"Content-Type": "application/x-ndjson"}
CSV = {"Content-Type": "text/csv"}


def full_matrix() -> bytes:
    """Three cases a cell in the papers' own ids."""
    rows = [
        {
            "prompt": f"{category.id} {style} {technique} {n}",
            "category": category.astral_id,
            "style": style,
            "technique": technique,
        }
        for category in CATEGORIES.values()
        for style in STYLES
        for technique in TECHNIQUES
        for n in range(3)
    ]
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def test_a_generated_suite_becomes_ready_and_jobs_run_on_it(client: FlaskClient, services: Services) -> None:
    response = client.post("/v1/suites", json={"name": "mine", "generator": "matrix", "limit": 42, "seed": 3})
    assert response.status_code == 202, response.text
    suite: dict[str, Any] = response.json
    assert (suite["name"], suite["status"], suite["size"], suite["digest"]) == ("mine", "generating", 42, None)
    assert response.headers["Location"] == suite["links"]["self"] == f"/v1/suites/{suite['id']}"
    assert services.queue.waiting() == [f"{suite['id']}-make"]
    make_suite(services, suite["id"])
    suite = client.get(response.headers["Location"]).json
    assert (suite["status"], suite["duplicates"], suite["upload"]) == ("ready", 0, None)
    assert suite["generator"]["type"] == "matrix"
    job = finish(services, created(client, spec(suite={"suite_id": suite["id"]})))
    assert client.get(f"/v1/jobs/{job}").json["progress"]["done"] == 42


def test_1260_rows_in_the_papers_ids(client: FlaskClient, services: Services) -> None:
    first, second = (client.post("/v1/suites?name=papers", data=full_matrix(), headers=NDJSON) for _ in range(2))
    assert (first.status_code, first.json["status"], first.json["size"]) == (201, "ready", 1260)
    assert first.json["digest"] == second.json["digest"]
    coverage = client.get(first.json["links"]["coverage"]).json
    assert len(coverage["cells"]) == 420
    assert {cell["count"] for cell in coverage["cells"]} == {3}
    assert {cell["category"] for cell in coverage["cells"]} == set(CATEGORIES)
    job = finish(services, created(client, spec(suite={"suite_id": first.json["id"]})))
    assert client.get(f"/v1/jobs/{job}").json["progress"]["done"] == 1260


def test_cases_in_json_are_ready_at_once(client: FlaskClient) -> None:
    response = client.post("/v1/suites", json={"cases": [{"prompt": "How?"}, {"prompt": "How?"}]})
    assert (response.status_code, response.json["status"], response.json["duplicates"]) == (201, "ready", 1)


@pytest.mark.parametrize("part", ["a.csv", "a.CSV"])
def test_a_file_in_a_form(client: FlaskClient, part: str) -> None:
    data = {"file": (io.BytesIO(b"question;topic\nHow?;c14\n"), part)}
    response = client.post("/v1/suites?columns=prompt:question,category:topic", data=data)
    assert response.status_code == 201, response.text
    [case] = client.get(response.json["links"]["cases"]).json["data"]
    assert (case["prompt"], case["category"], case["style"], case["language"]) == ("How?", "violence", None, "en")


def test_a_form_without_a_file_or_with_one_of_an_unknown_kind(client: FlaskClient) -> None:
    assert_problem(
        client.post("/v1/suites", data={"other": "x"}, content_type="multipart/form-data"), 422, "file_missing"
    )
    data = {"file": (io.BytesIO(b"x"), "a.xlsx")}
    assert_problem(client.post("/v1/suites", data=data), 422, "file_unknown")


def test_bad_rows_are_reported_by_line_and_nothing_is_stored(client: FlaskClient) -> None:
    text = b"prompt,category\nHow?,violence\nHow?,theft\n,violence\n"
    body = assert_problem(client.post("/v1/suites", data=text, headers=CSV), 422, "invalid_rows")
    assert [error["pointer"] for error in body["errors"]] == ["/3", "/4"]
    assert client.get("/v1/suites").json["data"] == []


def test_bad_rows_can_be_left_out(client: FlaskClient) -> None:
    text = b"prompt,category\nHow?,violence\nHow?,theft\n"
    suite = client.post("/v1/suites?on_invalid=skip", data=text, headers=CSV).json
    assert (suite["size"], suite["upload"]["rejected"]) == (1, 1)
    assert suite["upload"]["first"] == [
        {"line": 3, "reason": "Unknown category 'theft'; GET /v1/catalog lists the known ones."}
    ]


def test_duplicates_can_be_left_out(client: FlaskClient) -> None:
    text = b"prompt\nHow?\nWhy?\nHow?\n"
    kept = client.post("/v1/suites", data=text, headers=CSV).json
    assert (kept["size"], kept["duplicates"], kept["upload"]["duplicates"]) == (3, 1, 0)
    dropped = client.post("/v1/suites?drop_duplicates=true", data=text, headers=CSV).json
    assert (dropped["size"], dropped["duplicates"], dropped["upload"]["duplicates"]) == (2, 0, 1)


@pytest.mark.parametrize(
    ("data", "headers", "code"),
    [
        (b"", NDJSON, "suite_empty"),
        (b"", CSV, "upload_unreadable"),
        (b"prompt\n", CSV, "suite_empty"),
        ("prompt\nCómo\n".encode("latin-1"), CSV, "upload_unreadable"),
        (b"prompt\n" + b"a" * 10_000_000, CSV, "upload_unreadable"),
        (b'{"prompt": "a"}\n{"prom\n', NDJSON, "invalid_rows"),
    ],
)
def test_what_is_no_suite(client: FlaskClient, data: bytes, headers: dict[str, str], code: str) -> None:
    assert_problem(client.post("/v1/suites", data=data, headers=headers), 422, code)
    assert client.get("/v1/suites").json["data"] == []


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/suite"),
        ({"generator": "none"}, "/suite/generator"),
        ({"generator": "matrix", "cases": []}, "/suite"),
        ({"cases": []}, "/suite/cases"),
        ({"suite_id": "suite_0123456789abcdef01234567"}, "/suite_id"),
        ({"generator": "matrix", "name": ""}, "/name"),
    ],
)
def test_what_json_does_not_describe_a_suite(client: FlaskClient, body: dict[str, Any], pointer: str) -> None:
    problem = assert_problem(client.post("/v1/suites", json=body), 422, "validation_failed")
    assert pointer in [error["pointer"] for error in problem["errors"]]


@pytest.mark.parametrize("columns", ["prompt", "answer:text", "prompt:"])
def test_columns_that_mean_nothing(client: FlaskClient, columns: str) -> None:
    response = client.post("/v1/suites", query_string={"columns": columns}, data=b"prompt\nHow?", headers=CSV)
    assert assert_problem(response, 422, "validation_failed")["errors"][0]["pointer"] == "/columns"


def test_a_kind_of_content_that_is_not_known(client: FlaskClient) -> None:
    response = client.post("/v1/suites", data=b"<x/>", headers={"Content-Type": "application/xml"})
    assert_problem(response, 415, "unsupported_media_type")


@pytest.mark.parametrize("declared", [True, False], ids=["with a length", "in chunks"])
def test_an_upload_over_the_limit_is_refused_whole(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, declared: bool
) -> None:
    monkeypatch.setattr("service.api.uploading.MAX_UPLOAD_BYTES", 1000)
    data = b'{"prompt": "How?"}\n' * 100
    chunked = {} if declared else {"content_length": None, "headers": {**NDJSON, "Transfer-Encoding": "chunked"}}
    environ = {} if declared else {"wsgi.input_terminated": True}
    sent = {"input_stream": io.BytesIO(data)} if not declared else {"data": data}
    response = client.post("/v1/suites", environ_overrides=environ, **{"headers": NDJSON, **chunked}, **sent)
    assert_problem(response, 413, "body_too_large")
    assert client.get("/v1/suites").json["data"] == []


@pytest.mark.parametrize(("data", "headers"), [(b"prompt\nHow?\n", CSV), ({"file": (io.BytesIO(b"x"), "a.csv")}, {})])
def test_only_so_many_files_are_taken_in_at_once(client: FlaskClient, data: Any, headers: dict[str, str]) -> None:
    with ExitStack() as held:
        for _ in range(UPLOADS.places):
            held.enter_context(UPLOADS.place())
        refused = client.post("/v1/suites", data=data, headers=headers)
        assert "again" in assert_problem(refused, 503, "busy")["detail"]
        assert int(refused.headers["Retry-After"]) > 0
        assert client.post("/v1/suites", json={"cases": [{"prompt": "How?"}]}).status_code == 201
    assert client.post("/v1/suites", data=b"prompt\nHow?\n", headers=CSV).status_code == 201
