"""Every error is a problem (RFC 9457), and no answer tells more than it should."""

import logging
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError

from service.api import presenting
from service.app import create_app
from service.settings import Settings
from service.store.session import Store
from tests.api.conftest import UNKNOWN_JOB, assert_problem


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/", "/v1/jobs/", "/nowhere", "/v1/jobs/a/b/c", "/%00", "/%FF"])
def test_unknown_addresses(client: FlaskClient, path: str) -> None:
    assert_problem(client.get(path), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/v1/jobs", {"GET", "HEAD", "POST"}),
        ("PATCH", f"/v1/jobs/{UNKNOWN_JOB}", {"GET", "HEAD", "DELETE"}),
        ("GET", f"/v1/jobs/{UNKNOWN_JOB}/cancel", {"POST"}),
        ("POST", "/healthz", {"GET", "HEAD"}),
        ("OPTIONS", "/v1/jobs", {"GET", "HEAD", "POST"}),
        ("BREW", "/v1/jobs", {"GET", "HEAD", "POST"}),
    ],
)
def test_wrong_methods_name_the_right_ones(client: FlaskClient, method: str, path: str, allowed: set[str]) -> None:
    response = client.open(path, method=method)
    assert_problem(response, 405, "method_not_allowed")
    assert set(response.headers["Allow"].split(", ")) == allowed


def test_what_goes_wrong_inside_stays_inside(
    client: FlaskClient, queued_job: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("canary")

    monkeypatch.setattr(presenting, "progress", broken)
    response = client.get(f"/v1/jobs/{queued_job}", headers={"X-Request-ID": "r-1"})
    assert_problem(response, 500, "internal_error")
    assert "canary" not in response.text
    assert "Traceback" not in response.text
    [record] = [record for record in caplog.records if record.name == "service.api.problems"]
    assert record.levelno == logging.ERROR
    assert "r-1" in record.getMessage()
    assert "GET /v1/jobs/<job:job_id>" in record.getMessage()
    assert record.exc_info is not None


@pytest.mark.parametrize("url", ["sqlite:////nowhere/at/all.db", "postgresql+psycopg://u:p@127.0.0.1:1/db"])
def test_no_database(settings: Settings, url: str) -> None:
    app = create_app(replace(settings, database_url=url))
    client = app.test_client()
    for method, path in (("GET", "/v1/jobs"), ("POST", "/v1/jobs"), ("GET", "/v1/catalog")):
        response = client.open(path, method=method, headers={"Authorization": "Bearer ph_x"})
        assert_problem(response, 503, "database_unavailable")
        assert "SELECT" not in response.text
    app.extensions["proofhouse"][1].close()


def test_a_database_lost_before_a_stream_begins(
    app: Flask, client: FlaskClient, finished_job: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = 0
    read = Store.read

    def lost(store: Store) -> Any:
        nonlocal reads
        reads += 1
        if reads == 3:  # after the key and the job, the first page
            raise OperationalError("SELECT", {}, Exception("gone"))
        return read(store)

    monkeypatch.setattr(Store, "read", lost)
    response = client.get(f"/v1/jobs/{finished_job}/results", headers={"Accept": "application/x-ndjson"})
    assert_problem(response, 503, "database_unavailable")


@pytest.mark.parametrize("given", ["abc", "A.b_c-9", "x" * 64])
def test_a_plain_request_id_is_taken(client: FlaskClient, given: str) -> None:
    response = client.get("/v1/jobs/x", headers={"X-Request-ID": given})
    assert response.headers["X-Request-ID"] == response.json["request_id"] == given


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "ü", "<script>", "a\tb"])
def test_any_other_is_replaced(client: FlaskClient, given: str) -> None:
    made = client.get("/healthz", headers={"X-Request-ID": given}).headers["X-Request-ID"]
    assert made != given
    assert made.isalnum()


@pytest.mark.parametrize("path", ["/v1/jobs", "/healthz", "/nowhere", "/docs", "/openapi.yaml", "/metrics"])
def test_headers_of_every_answer(client: FlaskClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Request-ID"]
