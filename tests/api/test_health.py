"""GET /healthz and /readyz."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from cryptography.fernet import Fernet
from flask import Flask
from sqlalchemy import text as sql

from service.api import remembered
from service.app import create_app
from service.pipeline.services import Services
from service.queue import TaskQueue, WorkerState
from service.settings import Settings
from tests.api.conftest import assert_problem


def test_alive(app: Flask) -> None:
    response = app.test_client().get("/healthz")
    assert (response.status_code, response.json) == (200, {"status": "ok"})


def test_ready_without_any_worker(app: Flask) -> None:
    response = app.test_client().get("/readyz")
    assert response.status_code == 200
    assert response.json["status"] == "ready"
    assert response.json["checks"]["workers"]["count"] == 0
    assert {response.json["checks"][part]["status"] for part in ("database", "redis")} == {"ok"}


def test_workers_are_counted(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TaskQueue, "workers", lambda _: [WorkerState("a", "busy"), WorkerState("b", "idle")])
    assert app.test_client().get("/readyz").json["checks"]["workers"]["count"] == 2


def test_no_redis(settings: Settings) -> None:
    app = create_app(replace(settings, redis_url="redis://127.0.0.1:1"))
    body = assert_problem(app.test_client().get("/readyz"), 503, "not_ready")
    assert body["checks"]["redis"]["status"] == "failed"
    assert body["checks"]["database"]["status"] == "ok"
    assert body["checks"]["workers"]["count"] is None
    assert app.test_client().get("/healthz").status_code == 200
    app.extensions["proofhouse"][1].close()


@pytest.mark.parametrize(
    "url",
    ["sqlite:////nowhere/at/all.db", "postgresql+psycopg://u:canary@127.0.0.1:1/db"],
    ids=["sqlite", "postgresql"],
)
def test_no_database(valkey_url: str, tmp_path: Path, url: str) -> None:
    app = create_app(Settings(url, valkey_url, (Fernet.generate_key().decode(),)))
    body = assert_problem(app.test_client().get("/readyz"), 503, "not_ready")
    assert body["checks"]["database"]["status"] == "failed"
    assert body["checks"]["redis"]["status"] == "ok"
    assert "canary" not in str(body)
    app.extensions["proofhouse"][1].close()


def test_a_database_without_our_tables(valkey_url: str, tmp_path: Path) -> None:
    app = create_app(Settings(f"sqlite:///{tmp_path}/new.db", valkey_url, (Fernet.generate_key().decode(),)))
    body = assert_problem(app.test_client().get("/readyz"), 503, "not_ready")
    assert "db upgrade" in body["checks"]["database"]["message"]
    app.extensions["proofhouse"][1].close()


def test_what_was_found_out_is_told_for_a_second(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    client, clock = app.test_client(), iter([10.0, 10.9, 11.1, 12.0])
    monkeypatch.setattr(remembered, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    seen = []
    for workers in range(3):
        monkeypatch.setattr(TaskQueue, "workers", lambda _, number=workers: [WorkerState("a", "idle")] * number)
        seen.append(client.get("/readyz").json["checks"]["workers"]["count"])
    assert seen == [0, 0, 2]


def test_ready_while_a_newer_version_that_has_upgraded_the_database_takes_over(app: Flask, services: Services) -> None:
    with services.store.write() as session:
        session.execute(sql("UPDATE alembic_version SET version_num = 'newer'"))
    assert app.test_client().get("/readyz").json["checks"]["database"]["status"] == "ok"
