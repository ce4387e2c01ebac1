"""What the log says of requests."""

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from service.logs.lines import formatter
from tests.api.conftest import UNKNOWN_JOB, spec

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Lines:
    """Gives the lines that are there so far, at debug level too."""
    caplog.set_level(logging.DEBUG, "service")
    caplog.handler.setFormatter(formatter(as_json=True, with_words=False))
    return lambda: [line for line in map(json.loads, caplog.text.splitlines()) if line["event"] == "request"]


def test_a_request_is_one_line_with_its_route_and_not_its_query(client: FlaskClient, lines: Lines) -> None:
    client.get(f"/v1/jobs/{UNKNOWN_JOB}/results?limit=1&category=violence", headers={"X-Request-ID": "r-1"}).close()
    (line,) = lines()
    assert 0 < line.pop("duration_ms") < 60_000
    assert line.pop("timestamp")
    assert line == {
        "event": "request",
        "level": "info",
        "logger": "service.api.access",
        "method": "GET",
        "route": "/v1/jobs/{job_id}/results",
        "status": 404,
        "request_id": "r-1",
        "tenant": "acme",
        "job_id": UNKNOWN_JOB,
    }


def test_a_streamed_answer_is_told_of_when_it_has_ended(client: FlaskClient, finished_job: str, lines: Lines) -> None:
    before = len(lines())
    response = client.get(f"/v1/jobs/{finished_job}/results", headers={"Accept": "application/x-ndjson"})
    assert len(lines()) == before
    response.close()
    assert len(lines()) == before + 1


def test_nobody_is_named_whom_the_request_before_it_named(client: FlaskClient, lines: Lines) -> None:
    client.post("/v1/jobs", json=spec()).close()
    client.get("/v1/jobs", headers={"Authorization": "Bearer ph_unknown"}).close()
    known, unknown = lines()
    assert known["tenant"] == "acme"
    assert "tenant" not in unknown
    assert unknown["status"] == 401
    assert unknown["request_id"] != known["request_id"]


@pytest.mark.parametrize(
    ("path", "level"),
    [("/healthz", "debug"), ("/readyz", "debug"), ("/metrics", "debug"), ("/v1/catalog", "info"), ("/x", "info")],
)
def test_what_machines_ask_all_the_time_is_told_at_debug_level(
    client: FlaskClient, lines: Lines, path: str, level: str
) -> None:
    client.get(path).close()
    assert [line["level"] for line in lines()] == [level]
