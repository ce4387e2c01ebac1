"""What a job takes and asks for: bytes in the database and in Redis, transactions, commands, connections.

    python -m bench.footprint
    python -m bench.footprint --database postgresql --cases 10080 --concurrency 256

These are counts and sizes, which other work on the machine does not change. docs/capacity.md is made from them.
"""

import argparse
import os
import platform
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
from redis import Redis
from sqlalchemy import text

from bench.fleet import Fleet, fleet
from bench.stack import FINAL, mock_target
from service.store.session import Store

WAITING_JOBS = 200
LATENCY = 0.5
IDLE_SECONDS = 10


class Counts(NamedTuple):
    """What database and Redis have counted so far. Transactions and connections: PostgreSQL alone counts them."""

    stored: int
    transactions: int
    connections: int
    memory: int
    commands: int


class Meter:
    """Reads the counters of a fleet's database and Redis."""

    def __init__(self, running: Fleet) -> None:
        self._store = Store(running.environment["PROOFHOUSE_DATABASE_URL"])
        self._redis = Redis.from_url(running.environment["PROOFHOUSE_REDIS_URL"])

    def read(self) -> Counts:
        """The counters now."""
        info: dict[str, Any] = self._redis.info()
        return Counts(*self._database(), info["used_memory"], info["total_commands_processed"])

    def close(self) -> None:
        """Close the connections."""
        self._store.close()
        self._redis.close()

    def _database(self) -> tuple[int, int, int]:
        with self._store.read() as session:
            if self._store.is_sqlite:
                pages = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
                return int(session.scalar(text(pages)) or 0), 0, 0
            row = session.execute(
                text(
                    "SELECT pg_database_size(datname), xact_commit, numbackends FROM pg_stat_database "
                    "WHERE datname = current_database()"
                )
            ).one()
            return int(row[0]), int(row[1]), int(row[2]) - 1


@contextmanager
def metered(database: str, workers: int) -> Iterator[tuple[httpx2.Client, Meter]]:
    """An API process and so many workers, a client, and the meter."""
    with (
        tempfile.TemporaryDirectory(prefix="proofhouse-footprint-") as folder,
        fleet(database, 1, workers, Path(folder)) as running,
        httpx2.Client(
            base_url=running.urls[0], headers={"Authorization": f"Bearer {running.key}"}, trust_env=False, timeout=60
        ) as client,
    ):
        meter = Meter(running)
        yield client, meter
        meter.close()


def waiting(database: str) -> None:
    """What jobs take that nobody works on yet."""
    with metered(database, 0) as (client, meter):
        before = meter.read()
        for _ in range(WAITING_JOBS):
            client.post("/v1/jobs", json=_spec("http://127.0.0.1:1", 42, 1)).raise_for_status()
        after = meter.read()
    _show("a job that waits: memory in Redis", (after.memory - before.memory) / WAITING_JOBS, "bytes")
    _show("a job that waits: in the database", (after.stored - before.stored) / WAITING_JOBS, "bytes")


def under_way(database: str, workers: int, cases: int, concurrency: int) -> None:
    """What a job takes and asks for while it runs, beyond what the same processes do when idle."""
    with mock_target(LATENCY) as target, metered(database, workers) as (client, meter):
        idle = _idle(meter)
        before = meter.read()
        most = before
        began = time.monotonic()
        path = f"/v1/jobs/{client.post('/v1/jobs', json=_spec(target, cases, concurrency)).json()['id']}"
        while client.get(path).json()["status"] not in FINAL:
            now = meter.read()
            most = Counts(*map(max, most, now))
            time.sleep(0.5)
        seconds = time.monotonic() - began
        time.sleep(1)  # PostgreSQL's counters come a little later
        after = meter.read()
    _show("idle: Redis commands", idle.commands / IDLE_SECONDS, "a second")
    _show("idle: transactions", idle.transactions / IDLE_SECONDS, "a second")
    _show("running: cases", 60 * cases / seconds, "a minute")
    _show("running: a case with its result in the database", (after.stored - before.stored) / cases, "bytes")
    _show("running: transactions", (after.transactions - before.transactions) / seconds, "a second")
    _show("running: transactions", (after.transactions - before.transactions) / cases, "a case")
    _show("running: Redis commands", (after.commands - before.commands) / seconds, "a second")
    _show("running: most memory in Redis, beyond before", most.memory - before.memory, "bytes")
    _show("running: most connections to the database", most.connections, "")


def _idle(meter: Meter) -> Counts:
    """What is counted while nobody asks for anything."""
    before = meter.read()
    time.sleep(IDLE_SECONDS)
    return Counts(*(later - earlier for earlier, later in zip(before, meter.read(), strict=True)))


def _spec(target: str, cases: int, concurrency: int) -> dict[str, Any]:
    endpoint = {"base_url": f"{target}/v1", "model": "mock", "max_concurrency": concurrency}
    return {
        "target": {"type": "openai", **endpoint},
        "suite": {"generator": "matrix", "tests_per_cell": -(-cases // 420), "limit": cases, "seed": 7},
        "judge": {"type": "rules"},
    }


def _show(what: str, value: float, unit: str) -> None:
    print(f"| {what} | {value:,.1f} {unit} |", flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--cases", type=int, default=1_260)
    parser.add_argument("--concurrency", type=int, default=64)
    arguments = parser.parse_args()
    print(
        f"{os.cpu_count()} cores, Python {platform.python_version()}, {arguments.database}, {arguments.workers} ",
        end="",
    )
    print(f"workers, {arguments.cases:,} cases of {1000 * LATENCY:.0f} ms, {arguments.concurrency} at once\n")
    print("| what | |\n|---|---|", flush=True)
    waiting(arguments.database)
    under_way(arguments.database, arguments.workers, arguments.cases, arguments.concurrency)


if __name__ == "__main__":
    main()
