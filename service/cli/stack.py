"""The embedded stack: Valkey, SQLite, workers, API and, if wanted, a local model, all on this machine."""

import os
import shutil
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

from service import localmodel
from service.cli import ports
from service.cli.databases import opened, sqlite_url
from service.cli.environment import DataFolder, given
from service.cli.keyfiles import ensure_admin_key, ensure_secret_key
from service.cli.servers import answers, gunicorn, valkey
from service.processes import Child, Supervisor, python
from service.store.migrate import upgrade

LOOPBACK = "127.0.0.0/8,::1"
"""What models of one's own are reached at where everything runs on one machine."""
GRACE_SECONDS = 5
"""How long the API may take to answer what it was asked before it was told to stop."""
LONGEST_SOCKET = 100
"""A unix socket's path may have 107 bytes on Linux and 103 on macOS."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the stack should consist of. Port 0 is any free one."""

    folder: DataFolder
    host: str
    port: int
    workers: int
    model_port: int | None
    """None for no local model."""


class Stack:
    """Starts everything in order and stops it in reverse."""

    def __init__(self, wanted: Wanted, supervisor: Supervisor) -> None:
        self._wanted = wanted
        self._supervisor = supervisor
        self._folder = wanted.folder
        self._environment: dict[str, str] = {}
        self.url = ""
        self.model_url: str | None = None
        self._leftovers = ExitStack()

    def start(self) -> None:
        """Start all and wait until it answers.

        Raises:
            StartError: something did not come up.
            StoppedError: told to stop meanwhile.
        """
        self._prepare()
        self._start_redis()
        self._start_model()
        self._migrate()
        self._start_workers()
        self._start_api()

    def stop(self) -> None:
        """Stop all that was started."""
        self._supervisor.stop()
        self._leftovers.close()

    def _prepare(self) -> None:
        """Folders, keys and ports: what can be refused before anything runs."""
        wanted, folder = self._wanted, self._folder
        self._port = ports.free_port(wanted.host, wanted.port, "--port")
        if wanted.model_port is not None:
            localmodel.weights()
            self._model_port = ports.free_port("127.0.0.1", wanted.model_port, "--model-port")
        folder.logs.mkdir(exist_ok=True)
        shutil.rmtree(folder.metrics, ignore_errors=True)
        folder.metrics.mkdir()
        self._environment = {
            "PROOFHOUSE_DATABASE_URL": given("DATABASE_URL") or sqlite_url(folder.database),
            "PROOFHOUSE_SECRET_KEY": given("SECRET_KEY") or ensure_secret_key(folder.secret_key),
            "PROOFHOUSE_ALLOWED_NETWORKS": given("ALLOWED_NETWORKS") or LOOPBACK,
            "PROOFHOUSE_DATA_DIR": str(folder.path),
            "PROMETHEUS_MULTIPROC_DIR": str(folder.metrics),
        }

    def _start_redis(self) -> None:
        url = given("REDIS_URL")
        if url is None:
            socket = self._socket()
            self._supervisor.start(self._child("valkey", valkey(self._folder.path, socket), stop_seconds=5))
            self._supervisor.until(socket.is_socket, 20, "Valkey")
            url = f"unix://{quote(str(socket))}"
        self._environment["PROOFHOUSE_REDIS_URL"] = url

    def _socket(self) -> Path:
        """A path of this process's own: one that was killed may still be at cleaning up its own."""
        for stale in self._folder.path.glob("valkey-*.sock"):
            stale.unlink(missing_ok=True)
        path = self._folder.path / f"valkey-{os.getpid()}.sock"
        if len(os.fsencode(path)) <= LONGEST_SOCKET:
            return path
        elsewhere = self._leftovers.enter_context(TemporaryDirectory(prefix="proofhouse-"))
        return Path(elsewhere) / "valkey.sock"

    def _start_model(self) -> None:
        if self._wanted.model_port is None:
            return
        command = python("service.localmodel", "--port", str(self._model_port))
        self._supervisor.start(self._child("local-model", command, stop_seconds=2))
        base = ports.url("127.0.0.1", self._model_port)
        self._supervisor.until(lambda: answers(f"{base}/health"), 120, "The local model")
        self.model_url = f"{base}/v1"

    def _migrate(self) -> None:
        with opened(self._environment["PROOFHOUSE_DATABASE_URL"]) as store:
            upgrade(store)
            ensure_admin_key(self._folder.admin_key, store)

    def _start_workers(self) -> None:
        names = [f"worker-{number}" for number in range(1, self._wanted.workers + 1)]
        own = ({"PROOFHOUSE_WORKER_NAME": name, "PROOFHOUSE_WORKER_METRICS_PORT": "0"} for name in names)
        # More than a worker itself takes to stop its own two processes.
        children = [
            self._child(name, python("workers"), stop_seconds=35, environment=environment)
            for name, environment in zip(names, own, strict=True)
        ]
        self._supervisor.start(*children)

    def _start_api(self) -> None:
        command = gunicorn(self._wanted.host, self._port, "--graceful-timeout", str(GRACE_SECONDS))
        environment = {"PROOFHOUSE_METRICS_SLOT": "api"}
        self._supervisor.start(self._child("api", command, stop_seconds=2 * GRACE_SECONDS, environment=environment))
        url = ports.url(self._wanted.host, self._port)
        self._supervisor.until(lambda: answers(f"{url}/readyz"), 60, "The API")
        self.url = url

    def _child(
        self, name: str, command: tuple[str, ...], *, stop_seconds: float, environment: dict[str, str] | None = None
    ) -> Child:
        log = self._folder.logs / f"{name}.log"
        if log.exists():
            log.replace(log.with_suffix(".log.1"))
        return Child(name, command, self._environment | (environment or {}), stop_seconds, log)
