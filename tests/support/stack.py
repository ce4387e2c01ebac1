"""Real worker processes over a test's settings."""

import ipaddress
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import psutil

from service.settings import Settings

T = TypeVar("T")

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1"))
"""Where the servers of tests are."""


def environment(settings: Settings) -> dict[str, str]:
    """The settings as environment variables, over those of this process."""
    return {
        **os.environ,
        "PROOFHOUSE_DATABASE_URL": settings.database_url,
        "PROOFHOUSE_REDIS_URL": settings.redis_url,
        "PROOFHOUSE_SECRET_KEY": ",".join(settings.secret_keys),
        "PROOFHOUSE_QUEUE": settings.queue,
        "PROOFHOUSE_ALLOWED_NETWORKS": ",".join(map(str, settings.allowed_networks)),
        "PROOFHOUSE_WORKER_METRICS_PORT": "0",
    }


@dataclass
class WorkerProcess:
    """A `python -m workers` with all that it has started."""

    process: psutil.Popen
    log: Path

    def horse(self, seconds: float = 40) -> psutil.Process:
        """The forked process that runs a task, waited for."""
        return wait_for(self._horse, seconds, "a horse")

    def idle(self) -> bool:
        """Whether no task is being run."""
        return self._horse() is None

    def rq_worker(self) -> psutil.Process | None:
        return next((child for child in self.process.children() if "workers.worker" in _command(child)), None)

    def _horse(self) -> psutil.Process | None:
        worker = self.rq_worker()
        return next(iter(worker.children()), None) if worker else None

    def family(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)]

    def stop(self, seconds: float = 30) -> None:
        if self.process.is_running():
            self.process.terminate()
        self.process.wait(seconds)

    def kill(self) -> None:
        for process in self.family():
            process.kill()
        self.process.wait(5)


def _command(process: psutil.Process) -> list[str]:
    """Its command line; empty once it has ended, which a process just killed may do at any moment."""
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []


@contextmanager
def worker(settings: Settings, log: Path, **extra: str) -> Iterator[WorkerProcess]:
    """One running worker; whatever is left of it afterwards is killed."""
    with log.open("ab") as file:
        process = psutil.Popen(
            [sys.executable, "-m", "workers"], env=environment(settings) | extra, stdout=file, stderr=subprocess.STDOUT
        )
    started = WorkerProcess(process, log)
    try:
        yield started
    finally:
        family = started.family() if process.is_running() else []
        try:
            if process.poll() is None:
                started.stop()
        finally:
            for member in family:
                if member.is_running():
                    member.kill()


def still_running(family: Iterable[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Those that have not ended after that time. A zombie has: when it is buried is its new parent's affair."""
    deadline = time.monotonic() + seconds
    while (left := [process for process in family if not _ended(process)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def _ended(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_for(check: Callable[[], T | None], seconds: float, what: str) -> T:
    """Poll until `check` gives something true."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := check():
            return found
        time.sleep(0.05)
    raise AssertionError(f"waited {seconds} s in vain for {what}")
