"""GET /v1/jobs."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event

from service.api import cursors
from service.pipeline.services import Services
from tests.api.conftest import assert_problem, created, pointers, spec
from tests.support.databases import on_both

pytestmark = on_both


def ids(client: FlaskClient, **query: Any) -> list[str]:
    response = client.get("/v1/jobs", query_string=query)
    assert response.status_code == 200, response.text
    return [job["id"] for job in response.json["data"]]


def test_newest_first(client: FlaskClient) -> None:
    made = [created(client, spec()) for _ in range(3)]
    assert ids(client) == made[::-1]


def test_an_empty_list(client: FlaskClient) -> None:
    assert client.get("/v1/jobs").json == {"data": [], "next_cursor": None}


def test_jobs_are_shown_as_alone(client: FlaskClient, finished_job: str) -> None:
    assert client.get("/v1/jobs").json["data"] == [client.get(f"/v1/jobs/{finished_job}").json]


def test_pages_are_stable_under_inserts(client: FlaskClient) -> None:
    made = [created(client, spec()) for _ in range(5)]
    seen, cursor = [], None
    while True:
        page = client.get("/v1/jobs", query_string={"limit": 2} | ({"cursor": cursor} if cursor else {})).json
        seen += [job["id"] for job in page["data"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
        created(client, spec())
    assert seen == made[::-1]


def test_a_full_last_page_has_no_cursor(client: FlaskClient) -> None:
    created(client, spec())
    created(client, spec())
    assert client.get("/v1/jobs?limit=2").json["next_cursor"] is None


def test_a_deleted_job_does_not_break_its_cursor(client: FlaskClient) -> None:
    made = [created(client, spec()) for _ in range(3)]
    cursor = client.get("/v1/jobs?limit=1").json["next_cursor"]
    client.post(f"/v1/jobs/{made[2]}/cancel")
    client.delete(f"/v1/jobs/{made[2]}")
    assert ids(client, cursor=cursor) == made[1::-1]


def test_filters(client: FlaskClient) -> None:
    model = {"type": "scripted", "replies": [{}], "model": "m-1"}
    first = created(client, spec(target=model, labels={"team": "a", "x.y": 'it\'s: "1"'}))
    second = created(client, spec(labels={"team": "b"}))
    client.post(f"/v1/jobs/{second}/cancel")
    assert ids(client, model="m-1") == [first]
    assert ids(client, model="m-2") == []
    assert ids(client, status="queued") == [first]
    assert ids(client, status="cancelled") == [second]
    assert ids(client, label="team:b") == [second]
    assert ids(client, label='x.y:it\'s: "1"') == [first]
    assert ids(client, label="team:") == []
    assert ids(client, label="team:a", status="cancelled") == []


def test_filters_by_time(client: FlaskClient) -> None:
    first, second = created(client, spec()), created(client, spec())
    when = client.get(f"/v1/jobs/{second}").json["created_at"]
    assert ids(client, created_after=when) == [second]
    assert ids(client, created_before=when) == [first]
    elsewhere = datetime.fromisoformat(when).astimezone().isoformat()
    assert ids(client, created_before=elsewhere) == [first]
    assert ids(client, created_after="0001-01-01T00:00:00+14:00") == [second, first]
    assert ids(client, created_before="9999-12-31T23:59:59.999-14:00") == [second, first]
    assert ids(client, created_after=(datetime.now(UTC) + timedelta(1)).isoformat().lower()) == []


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("limit=0", "/limit"),
        ("limit=201", "/limit"),
        ("limit=x", "/limit"),
        ("limit=1_0", "/limit"),
        ("limit=", "/limit"),
        ("limit=%EF%BC%95", "/limit"),
        ("status=done", "/status"),
        ("label=team", "/label"),
        ("label=a%20b:c", "/label"),
        ("label=a:%00", "/label"),
        ("model=%00", "/model"),
        ("model=", "/model"),
        ("created_after=yesterday", "/created_after"),
        ("created_after=2026-01-01", "/created_after"),
        ("created_before=2026-02-30T00:00:00Z", "/created_before"),
        ("colour=red", "/colour"),
    ],
)
def test_bad_queries(client: FlaskClient, query: str, pointer: str) -> None:
    body = assert_problem(client.get(f"/v1/jobs?{query}"), 422, "validation_failed")
    assert set(pointers(body)) == {pointer}


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "!!",
        "e30",
        "bnVsbA",
        "€",
        "a" * 5000,
        cursors.encode("results", 0, 1),
        cursors.encode("jobs", "2026-01-01T00:00:00+00:00"),
        cursors.encode("jobs", "2026-01-01T00:00:00+00:00", "job_\x00"),
        cursors.encode("jobs", "0001-01-01T00:00:00+14:00", "job_0123456789abcdef01234567"),
        cursors.encode("jobs", 5, 5),
        cursors.encode("jobs", [], {}),
    ],
)
def test_a_cursor_of_ones_own_making(client: FlaskClient, cursor: str) -> None:
    body = assert_problem(client.get("/v1/jobs", query_string={"cursor": cursor}), 422, "invalid_cursor")
    assert pointers(body) == ["/cursor"]


def test_a_cursor_of_another_version(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cursors, "VERSION", 2)
    later = cursors.encode("jobs", "2026-01-01T00:00:00+00:00", "job_0123456789abcdef01234567")
    monkeypatch.undo()
    assert_problem(client.get(f"/v1/jobs?cursor={later}"), 422, "invalid_cursor")


def test_the_number_of_queries_does_not_grow_with_the_page(client: FlaskClient, services: Services) -> None:
    store = client.application.extensions["proofhouse"][1].store
    statements: list[str] = []
    event.listen(store.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    counts = []
    for _ in range(2):
        created(client, spec())
        created(client, spec())
        statements.clear()
        client.get("/v1/jobs")
        counts.append(sum(statement.startswith("SELECT") for statement in statements))
    assert counts[0] == counts[1] <= 5
