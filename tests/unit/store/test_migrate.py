import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text as sql

from service.store import migrate, tallies
from service.store.migrate import config, is_fit, upgrade
from service.store.session import Store
from service.store.tables import Base
from tests.unit.store.made import ANSWER, SAFE, at_once, outcome, running_job


@pytest.fixture
def empty_postgres(request: pytest.FixtureRequest) -> Iterator[str]:
    """A PostgreSQL database without a table."""
    uri: str = request.getfixturevalue("postgres_uri")
    name = f"empty_{uuid.uuid4().hex}"
    with psycopg.connect(uri.format(database="postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield uri.format(database=name).replace("postgresql://", "postgresql+psycopg://", 1)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A database of each kind without a table."""
    sqlite = f"sqlite:///{tmp_path / 'empty.db'}"
    store = Store(sqlite if request.param == "sqlite" else request.getfixturevalue("empty_postgres"))
    yield store
    store.close()


def test_an_empty_database_is_not_fit(empty: Store) -> None:
    assert not is_fit(empty)


def test_an_upgraded_database_is_fit(empty: Store) -> None:
    upgrade(empty)
    assert is_fit(empty)


def test_upgrading_again_changes_nothing(empty: Store) -> None:
    upgrade(empty)
    with empty.write() as session:
        session.execute(sql("INSERT INTO idempotency_keys VALUES ('t', 'k', 'd', 'j', '2026-01-01 00:00:00')"))
    upgrade(empty)
    with empty.read() as session:
        assert session.scalar(sql("SELECT count(*) FROM idempotency_keys")) == 1


def test_a_database_of_the_first_version_keeps_what_it_holds(empty: Store) -> None:
    settings = config()
    with empty.write() as session:
        settings.attributes["connection"] = session.connection()
        command.upgrade(settings, "0001")
    job = running_job(empty)
    with empty.write() as session:
        tallies.count(session, job.id, [outcome(0)])
    upgrade(empty)
    assert is_fit(empty)
    with empty.read() as session:
        assert tallies.read_usage(session, job.id) == {"target": ANSWER.usage, "judge": SAFE.usage}


def test_two_upgrades_at_once_both_succeed(empty: Store) -> None:
    def upgrade_apart() -> bool:
        store = Store(empty.url.render_as_string(hide_password=False))
        try:
            upgrade(store)
            return is_fit(store)
        finally:
            store.close()

    assert list(at_once(upgrade_apart, upgrade_apart)) == [True, True]


def test_a_database_that_a_newer_version_has_upgraded_is_fit(empty: Store) -> None:
    """Or else the first step of an upgrade would take every process of the old version out of service."""
    upgrade(empty)
    with empty.write() as session:
        session.execute(sql("UPDATE alembic_version SET version_num = 'newer'"))
    assert is_fit(empty)


def test_a_database_of_an_older_version_is_not_fit(
    empty: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upgrade(empty)
    [head] = ScriptDirectory.from_config(config()).get_heads()
    shutil.copytree(Path(migrate.__file__).with_name("migrations"), tmp_path / "migrations")
    later = tmp_path / "migrations" / "versions" / "9999_later.py"
    later.write_text(f"revision, down_revision = '9999', '{head}'\n")
    longer = config()
    longer.set_main_option("script_location", str(tmp_path / "migrations"))
    monkeypatch.setattr(migrate, "config", lambda: longer)
    assert not is_fit(empty)


def test_models_and_migrations_agree(store: Store) -> None:
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []


def test_a_failed_upgrade_leaves_the_database_as_it_was(empty: Store) -> None:
    with empty.write() as session:
        session.execute(sql("CREATE TABLE usage (unexpected INTEGER)"))
    with pytest.raises(Exception, match="already exists"):
        upgrade(empty)
    with empty.read() as session, pytest.raises(Exception, match=r"no such table|does not exist"):
        session.execute(sql("SELECT * FROM jobs"))
