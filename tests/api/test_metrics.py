"""GET /metrics."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text as sql
from sqlalchemy import update

from service.api import briefly, remembered
from service.app import create_app
from service.pipeline.plan import plan
from service.pipeline.services import Services
from service.settings import Settings
from service.store.session import Store
from service.store.tables import JobRow
from tests.api.conftest import ClientFor, assert_problem
from tests.support.servers import own_valkey


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each scrape finds out anew."""
    monkeypatch.setattr(remembered, "FRESH_SECONDS", 0)


def scrape(client: FlaskClient) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    response = client.get("/metrics")
    assert response.status_code == 200
    assert response.content_type.startswith("text/plain")
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


def test_jobs_queue_and_workers(app: Flask, settings: Settings, finished_job: str, queued_job: str) -> None:
    found = scrape(app.test_client())
    queue = (("queue", settings.queue),)
    assert found["proofhouse_jobs", (("status", "completed"),)] == 1
    assert found["proofhouse_jobs", (("status", "queued"),)] == 1
    assert found["proofhouse_jobs", (("status", "failed"),)] == 0
    assert found["proofhouse_queue_depth", queue] >= 1
    assert found["proofhouse_queue_oldest_age_seconds", queue] >= 0
    assert found["proofhouse_workers", (("state", "busy"),)] == 0
    assert any(name == "proofhouse_build_info" for name, _ in found)


def test_a_job_that_runs_and_stores_nothing_is_seen(app: Flask, services: Services, queued_job: str) -> None:
    assert scrape(app.test_client())["proofhouse_job_stalled_seconds", ()] == 0
    plan(services, queued_job)
    with services.store.write() as session:
        session.execute(sql("UPDATE jobs SET running_since = running_since - 120"))
    assert scrape(app.test_client())["proofhouse_job_stalled_seconds", ()] == pytest.approx(120, abs=10)


def test_a_job_that_no_worker_begins_is_seen_though_others_run(
    app: Flask, services: Services, finished_job: str, queued_job: str
) -> None:
    def waiting() -> float:
        return scrape(app.test_client())["proofhouse_job_waiting_seconds", ()]

    with services.store.write() as session:
        changed = update(JobRow).values(created_at=datetime.now(UTC) - timedelta(seconds=900))
        session.execute(changed)
    assert waiting() == pytest.approx(900, abs=10)
    plan(services, queued_job)
    assert waiting() == 0


def test_requests_are_timed_by_route_template(app: Flask, client: FlaskClient, queued_job: str) -> None:
    def count(method: str, route: str, status: str) -> float:
        labels = (("method", method), ("route", route), ("status", status))
        return scrape(app.test_client()).get(("proofhouse_http_request_duration_seconds_count", labels), 0)

    expected = [
        ("GET", "/v1/jobs/{job_id}", "200"),
        ("GET", "/v1/jobs/{job_id}/results", "200"),
        ("GET", "unmatched", "404"),
        ("PUT", "unmatched", "405"),
        ("other", "unmatched", "405"),
    ]
    before = [count(*labels) for labels in expected]
    client.get(f"/v1/jobs/{queued_job}").close()
    client.get(f"/v1/jobs/{queued_job}/results", headers={"Accept": "application/x-ndjson"}).close()
    client.get(f"/nowhere/{queued_job}").close()
    client.put("/v1/jobs").close()
    client.open("/v1/jobs", method="BREW").close()
    assert [count(*labels) for labels in expected] == [number + 1 for number in before]
    assert queued_job not in app.test_client().get("/metrics").text


def test_without_redis_or_database_the_rest_is_there(settings: Settings) -> None:
    lost = replace(settings, redis_url="redis://127.0.0.1:1", database_url="sqlite:////nowhere/at/all.db")
    app = create_app(lost)
    names = {name for name, _ in scrape(app.test_client())}
    assert "proofhouse_build_info" in names
    assert not names & {
        "proofhouse_jobs",
        "proofhouse_job_stalled_seconds",
        "proofhouse_job_waiting_seconds",
        "proofhouse_queue_depth",
        "proofhouse_workers",
    }
    app.extensions["proofhouse"][1].close()


def test_redis_that_goes_away_is_told_and_what_the_database_knows_stays(settings: Settings) -> None:
    with own_valkey() as valkey:
        app = create_app(replace(settings, redis_url=valkey.url))
        assert dependencies(app) == {"database": 1, "redis": 1}
        valkey.kill()
        assert dependencies(app) == {"database": 1, "redis": 0}
        assert ("proofhouse_jobs", (("status", "queued"),)) in scrape(app.test_client())
        app.extensions["proofhouse"][1].close()


@pytest.mark.parametrize("url", ["sqlite:////nowhere/at/all.db", "postgresql+psycopg://u@127.0.0.1:1/db"])
def test_a_database_out_of_reach_is_told(settings: Settings, url: str) -> None:
    app = create_app(replace(settings, database_url=url))
    assert dependencies(app) == {"database": 0, "redis": 1}
    app.extensions["proofhouse"][1].close()


def test_many_scrapes_within_a_second_count_the_jobs_once(
    app: Flask, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembered, "FRESH_SECONDS", 60)
    opened: list[Store] = []
    monkeypatch.setattr(briefly, "Store", lambda *args, **options: opened.append(Store(*args, **options)) or opened[-1])
    found = [scrape(app.test_client()) for _ in range(3)]
    assert len(opened) == 1
    assert all(("proofhouse_jobs", (("status", "queued"),)) in each for each in found)


def dependencies(app: Flask) -> dict[str, float]:
    found = scrape(app.test_client())
    return {
        dict(labels)["name"]: value for (name, labels), value in found.items() if name == "proofhouse_dependency_up"
    }


def test_it_can_be_closed(settings: Settings, client_for: ClientFor) -> None:
    app = create_app(replace(settings, metrics_public=False))
    assert_problem(app.test_client().get("/metrics"), 401, "unauthenticated")
    key = client_for().environ_base["HTTP_AUTHORIZATION"]
    assert app.test_client().get("/metrics", headers={"Authorization": key}).status_code == 200
    app.extensions["proofhouse"][1].close()
