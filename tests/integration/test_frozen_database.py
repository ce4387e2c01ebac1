"""A PostgreSQL that is frozen: connections stand, and nothing answers. Nobody hangs with it."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from service.api import remembered
from service.app import create_app
from service.settings import Settings
from service.store import answering
from service.store.session import Store
from tests.support.servers import frozen_postgres

SOON = 8
"""Seconds: two for an answer, two for a connection, and a busy machine."""


@pytest.fixture
def database_url(postgres_url: str) -> str:
    return postgres_url


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    app = create_app(settings)
    yield app
    app.extensions["proofhouse"][1].close()


def test_a_statement_without_an_answer_fails_in_time_and_later_ones_find_the_server_again(postgres_url: str) -> None:
    store = Store(postgres_url, answer_seconds=1)
    began = time.monotonic()
    with store.read() as session:
        session.execute(text("SELECT 1"))
        with frozen_postgres(postgres_url), pytest.raises(OperationalError):
            session.execute(text("SELECT 2"))
    with frozen_postgres(postgres_url), pytest.raises(OperationalError), store.read() as session:
        session.execute(text("SELECT 3"))
    assert time.monotonic() - began < SOON
    with store.read() as session:
        assert session.scalar(text("SELECT 4")) == 4
    store.close()


def test_a_statement_may_take_as_long_as_it_needs_where_that_is_wanted(postgres_url: str) -> None:
    hurried, patient = Store(postgres_url, answer_seconds=0.2), Store(postgres_url, answer_seconds=None)
    with pytest.raises(OperationalError), hurried.read() as session:
        session.execute(text("SELECT pg_sleep(0.5)"))
    with patient.read() as session:
        assert session.scalar(text("SELECT 1 FROM pg_sleep(0.5)")) == 1
    hurried.close()
    patient.close()


def test_whether_the_api_is_ready_is_said_in_time_and_at_once_to_who_asks_meanwhile(
    app: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembered, "FRESH_SECONDS", 0)
    assert app.test_client().get("/readyz").status_code == 200
    with frozen_postgres(settings.database_url), ThreadPoolExecutor() as pool:
        began = time.monotonic()
        first = pool.submit(app.test_client().get, "/readyz")
        time.sleep(0.3)
        assert app.test_client().get("/readyz").status_code == 200, "as it was last"
        assert time.monotonic() - began < 1
        assert first.result().status_code == 503
        assert time.monotonic() - began < SOON
    assert app.test_client().get("/readyz").status_code == 200


def test_who_stops_in_the_middle_of_a_transaction_holds_up_nobody_for_long(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "IDLE_SECONDS", 0.5)
    frozen, other = Store(postgres_url), Store(postgres_url, answer_seconds=SOON)
    lock = text("SELECT pg_advisory_xact_lock(1)")
    with pytest.raises(OperationalError), frozen.write() as late:  # noqa: PT012 - it must fail at its very end
        late.execute(lock)
        with other.write() as session:
            session.execute(lock)
    with frozen.read() as session:
        assert session.scalar(text("SELECT 1")) == 1
    frozen.close()
    other.close()


def test_a_scrape_says_in_time_that_the_database_is_away(app: Flask, settings: Settings) -> None:
    with frozen_postgres(settings.database_url):
        began = time.monotonic()
        scraped = app.test_client().get("/metrics")
        assert time.monotonic() - began < SOON
    assert scraped.status_code == 200
    assert 'proofhouse_dependency_up{name="database"} 0.0' in scraped.text
    assert 'proofhouse_dependency_up{name="redis"} 1.0' in scraped.text
