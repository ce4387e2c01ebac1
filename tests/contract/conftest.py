"""The service as it is deployed: under gunicorn, over real components."""

import asyncio
import ipaddress
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from cryptography.fernet import Fernet

from service.domain.roles import Role
from service.pipeline.execute import execute
from service.pipeline.plan import plan
from service.pipeline.services import Services
from service.pipeline.submit import submit
from service.settings import Settings
from service.store import keys
from service.store.migrate import upgrade
from service.store.session import Store
from tests.support.specs import job_spec
from tests.support.stack import environment

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def served_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Holds server.log."""
    return tmp_path_factory.mktemp("served")


@pytest.fixture(scope="module")
def served_settings(postgres_uri: str, valkey_url: str) -> Settings:
    """A database of its own, since others empty theirs; PostgreSQL, as the tests of the API run on SQLite."""
    url = postgres_uri.format(database="served").replace("postgresql://", "postgresql+psycopg://", 1)
    with psycopg.connect(postgres_uri.format(database="postgres"), autocommit=True) as connection:
        # Another module of this process may have had it before.
        connection.execute("DROP DATABASE IF EXISTS served WITH (FORCE)")
        connection.execute("CREATE DATABASE served")
    store = Store(url)
    upgrade(store)
    store.close()
    # Every address is allowed: whatever fits the schema is to be accepted, and no worker runs that would connect.
    everywhere = (ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0"))
    return Settings(url, valkey_url, (Fernet.generate_key().decode(),), queue="served", allowed_networks=everywhere)


@pytest.fixture(scope="module")
def served_key(served_settings: Settings) -> str:
    """An admin's key; its tenant has one finished job."""
    services = Services.from_settings(served_settings)
    with services.store.write() as session:
        _, key = keys.create(session, tenant="acme", name="served", role=Role.ADMIN)
    job = submit(services, job_spec(5), tenant="acme")
    plan(services, job.id)
    asyncio.run(execute(services, job.id, lambda: False))
    services.close()
    return key


@pytest.fixture(scope="module")
def server(served_settings: Settings, served_key: str, served_folder: Path) -> Iterator[str]:
    """The service as it is deployed, under gunicorn."""
    port = _free_port()
    command = ["-m", "gunicorn", "-c", "python:service.gunicorn_conf", "-b", f"127.0.0.1:{port}", "service.wsgi:app"]
    with (served_folder / "server.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, *command], cwd=ROOT, env=environment(served_settings), stderr=log
        )
        try:
            _wait_for(f"http://127.0.0.1:{port}/readyz")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(10)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(url: str, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()  # noqa: S310 - our own address
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return
