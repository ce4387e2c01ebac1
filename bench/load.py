"""Many clients at once against the API of the embedded stack: requests a second, and how long each kind takes.

    python -m bench.load
    python -m bench.load --clients 64 --seconds 120 --database postgresql

`proofhouse up` with gunicorn and two workers, on one machine with the clients and the mock target. Every client keeps
one connection and sends its next request when it has the answer to the last: submitting a job 5%, its status 50%, a
page of results 25%, the report 15%, the list of jobs 5%. Exits with 1 when any request fails.
"""

import argparse
import os
import platform
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import ceil, nan
from typing import Any

import httpx2

from bench.stack import Bench, mock_target, running

WORKERS = 2
SHARES = {"status": 50, "results": 25, "report": 15, "submit": 5, "list": 5}
"""Of a hundred requests."""
LARGE, SMALL = 1_260, 10
"""Cases: of the finished job that half of the reading is about, and of those that are submitted meanwhile."""
LATENCY = 0.05
SHOWN = (50, 95, 99, 100)
"""Percentiles."""


@dataclass
class Client:
    """One client, and what it has seen."""

    base_url: str
    headers: dict[str, str]
    target: str
    jobs: list[str]
    """Those that clients read; shared, and growing as clients submit."""
    taken: dict[str, list[float]] = field(default_factory=lambda: {operation: [] for operation in SHARES})
    """Milliseconds of the requests that were answered with 2xx, by operation."""
    errors: Counter[str] = field(default_factory=Counter)

    def work(self, deadline: float, seed: int) -> None:
        """Send request after request until the time is over."""
        dice = random.Random(seed)
        requests: dict[str, Callable[[httpx2.Client, str], httpx2.Response]] = {
            "status": lambda client, job: client.get(f"/v1/jobs/{job}"),
            "results": lambda client, job: client.get(f"/v1/jobs/{job}/results?limit=50"),
            "report": lambda client, job: client.get(f"/v1/jobs/{job}/report"),
            "submit": lambda client, _: client.post("/v1/jobs", json=spec(self.target, SMALL)),
            "list": lambda client, _: client.get("/v1/jobs?limit=20"),
        }
        with httpx2.Client(base_url=self.base_url, headers=self.headers, trust_env=False, timeout=60) as client:
            while time.monotonic() < deadline:
                (operation,) = dice.choices(list(SHARES), list(SHARES.values()))
                job = self.jobs[0] if dice.random() < 0.5 else dice.choice(self.jobs)  # noqa: PLR2004 - half and half
                self._send(operation, lambda send=requests[operation], job=job: send(client, job))

    def _send(self, operation: str, send: Callable[[], httpx2.Response]) -> None:
        began = time.perf_counter()
        try:
            response = send()
        except httpx2.TransportError as error:
            self.errors[f"{operation}: {type(error).__name__}"] += 1
            return
        if not response.is_success:
            self.errors[f"{operation}: {response.status_code} {response.text[:200]}"] += 1
            return
        self.taken[operation].append(1000 * (time.perf_counter() - began))
        if operation == "submit":
            self.jobs.append(response.json()["id"])


def spec(target: str, cases: int) -> dict[str, Any]:
    """A job of so many cases."""
    endpoint = {"base_url": f"{target}/v1", "model": "mock", "max_concurrency": 64}
    return {
        "target": {"type": "openai", **endpoint},
        "suite": {"generator": "matrix", "tests_per_cell": -(-cases // 420), "limit": cases, "seed": 7},
        "judge": {"type": "rules"},
    }


def load(bench: Bench, target: str, count: int, seconds: float) -> list[Client]:
    """Have so many clients work for so long beside each other."""
    jobs = [bench.submit(spec(target, LARGE))]
    bench.wait(jobs[0])
    headers = {"Authorization": bench.client.headers["Authorization"]}
    clients = [Client(str(bench.client.base_url), headers, target, jobs) for _ in range(count)]
    deadline = time.monotonic() + seconds
    threads = [threading.Thread(target=client.work, args=(deadline, seed)) for seed, client in enumerate(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return clients


def show(clients: Sequence[Client], seconds: float) -> bool:
    """Print the table; gives whether there was no error."""
    taken = {name: sorted(ms for client in clients for ms in client.taken[name]) for name in SHARES}
    errors = sum((client.errors for client in clients), Counter[str]())
    print("| request | answered | a second | p50 | p95 | p99 | longest |\n|---|---|---|---|---|---|---|")
    taken["**all**"] = sorted(ms for of_one in taken.values() for ms in of_one)
    for name, times in taken.items():
        cells = (
            f"{len(times):,}",
            f"{len(times) / seconds:.1f}",
            *(f"{_percentile(times, of):.0f} ms" for of in SHOWN),
        )
        print(f"| {name} | {' | '.join(cells)} |")
    print(f"\nErrors: {errors.total()}. ", *(f"{what} ({number})" for what, number in errors.most_common()))
    return not errors


def _percentile(times: Sequence[float], percent: int) -> float:
    """By nearest rank, of sorted times."""
    return times[ceil(len(times) * percent / 100) - 1] if times else nan


def main() -> None:
    """Print the table; exit 1 when there was an error."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    arguments = parser.parse_args()
    print(
        f"{os.cpu_count()} cores, Python {platform.python_version()}, {arguments.database}, {WORKERS} workers, ", end=""
    )
    print(f"{arguments.clients} clients, {arguments.seconds:.0f} s\n", flush=True)
    with mock_target(LATENCY) as target, running(arguments.database, WORKERS) as bench:
        clients = load(bench, target, arguments.clients, arguments.seconds)
    sys.exit(not show(clients, arguments.seconds))


if __name__ == "__main__":
    main()
