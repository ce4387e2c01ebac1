"""A rolling restart of API and workers under load: whether a job, a result, a call or a request is lost or doubled.

    python -m bench.rolling
    python -m bench.rolling --database postgresql --rounds 5

One process after another is sent SIGTERM, waited for and replaced, while clients submit small jobs and read them. A
client whose connection is refused or breaks goes to the other API process, with the same Idempotency-Key; nothing else
is tried again. Exits with 1 when anything is lost or doubled, any request fails, or a connection breaks over a request:
a process that is told to stop answers what it was sent.
"""

import argparse
import json
import os
import platform
import shutil
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

from bench.balanced import Balanced, Seen
from bench.fleet import Fleet, fleet
from bench.stack import FINAL, mock_target, stats

APIS = 2
CASES = 42
LATENCY = 0.3
"""Of the mock target: long enough that every worker has calls under way when it is told to stop."""
NDJSON = {"Accept": "application/x-ndjson"}


@dataclass
class Load:
    """Clients that submit jobs and read them until there is enough."""

    fleet: Fleet
    target: str
    seen: Seen = field(default_factory=Seen)
    jobs: list[str] = field(default_factory=list)
    enough: threading.Event = field(default_factory=threading.Event)

    def client(self) -> None:
        """One client: submit a job, read until it has ended, submit the next."""
        with Balanced(self.fleet.urls, self.fleet.key, self.seen) as api:
            while not self.enough.is_set():
                headers = {"Idempotency-Key": uuid.uuid4().hex}
                accepted = api.ask("submit", "POST", "/v1/jobs", json=self._spec(), headers=headers)
                if accepted:
                    self.jobs.append(accepted.json()["id"])
                    self._read(api, f"/v1/jobs/{accepted.json()['id']}")

    def _read(self, api: Balanced, path: str) -> None:
        others = cycle((("results", f"{path}/results"), ("report", f"{path}/report"), ("list", "/v1/jobs?limit=20")))
        while not self.enough.is_set():
            job = api.ask("status", "GET", path)
            if job and job.json()["status"] in FINAL:
                return
            operation, other = next(others)
            api.ask(operation, "GET", other)
            time.sleep(0.02)

    def _spec(self) -> dict[str, object]:
        endpoint = {"base_url": f"{self.target}/v1", "model": "mock", "max_concurrency": 32}
        return {
            "target": {"type": "openai", **endpoint},
            "suite": {"generator": "matrix", "limit": CASES, "seed": 7},
            "judge": {"type": "rules"},
        }


@dataclass(frozen=True)
class Outcome:
    """What became of the jobs that were accepted."""

    accepted: int
    not_completed: int
    missing: int
    """Cases without a result."""
    doubled: int
    """Results beyond one a case."""
    calls_beyond: int
    """Calls to the target beyond one a case; negative when some were never made."""

    @property
    def whole(self) -> bool:
        """Whether nothing was lost and nothing doubled."""
        return not any((self.not_completed, self.missing, self.doubled, self.calls_beyond))


def restart_under_load(running: Fleet, target: str, clients: int, rounds: int) -> Load:
    """Roll the whole fleet several times while clients work; gives what they met with, once they have all gone."""
    load = Load(running, target)
    threads = [threading.Thread(target=load.client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        time.sleep(2)
        for _ in range(rounds):
            running.roll()
    finally:
        load.enough.set()
        for thread in threads:
            thread.join()
    return load


def outcome(load: Load) -> Outcome:
    """Wait for the end of every job that was accepted, and count what it has."""
    missing = doubled = not_completed = 0
    with Balanced(load.fleet.urls, load.fleet.key, load.seen) as api:
        for job_id in load.jobs:
            not_completed += _final_status(api, f"/v1/jobs/{job_id}") != "completed"
            exported = api.ask("export", "GET", f"/v1/jobs/{job_id}/results", headers=NDJSON)
            rows = [json.loads(line) for line in exported.text.splitlines()] if exported else []
            found = Counter((row["case"]["index"], row["repeat"]) for row in rows)
            missing += CASES - len(found)
            doubled += found.total() - len(found)
    calls = stats(load.target)["hits"]
    return Outcome(len(load.jobs), not_completed, missing, doubled, calls - CASES * len(load.jobs))


def _final_status(api: Balanced, path: str) -> str:
    deadline = time.monotonic() + 120
    status = "lost"
    while status not in FINAL and time.monotonic() < deadline:
        job = api.ask("status", "GET", path)
        status = job.json()["status"] if job else status
        time.sleep(0.1)
    return status


def show(load: Load, found: Outcome, seconds: float) -> bool:
    """Print the table; gives whether all is as it must be."""
    stops = load.fleet.stops
    bad = [stop for stop in stops if stop.status != 0]
    rows = [
        ("seconds under load", f"{seconds:.0f}", ""),
        *((f"{kind}: restarts", *_stops(load.fleet, kind)) for kind in ("api", "worker")),
        ("restarts with another exit status than 0", len(bad), ", ".join(f"{stop.kind} {stop.status}" for stop in bad)),
        ("requests answered", load.seen.requests.total(), _listed(load.seen.requests)),
        ("connections refused, tried again", load.seen.refused.total(), _listed(load.seen.refused)),
        ("connections broken over a request, tried again", load.seen.broken.total(), _listed(load.seen.broken)),
        ("requests failed", load.seen.failed.total(), _listed(load.seen.failed)),
        ("jobs accepted", found.accepted, f"{found.accepted * CASES:,} cases"),
        ("jobs not completed", found.not_completed, ""),
        ("cases without a result", found.missing, ""),
        ("results doubled", found.doubled, ""),
        ("calls to the target beyond one a case", found.calls_beyond, ""),
    ]
    print("| what | | |\n|---|---|---|")
    for row in rows:
        print(f"| {' | '.join(map(str, row))} |")
    return found.whole and found.accepted > 0 and not bad and not load.seen.failed and not load.seen.broken


def _stops(running: Fleet, kind: str) -> tuple[int, str]:
    seconds = [stop.seconds for stop in running.stops if stop.kind == kind]
    return len(seconds), f"stopped within {max(seconds):.1f} s"


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{what} {count}" for what, count in counts.most_common())


def main() -> None:
    """Print the table; exit 1 when anything was lost, doubled or failed, and keep the logs then."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--clients", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}, {arguments.database}, ", end="")
    print(f"{APIS} API processes, {arguments.workers} workers, {arguments.clients} clients\n", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="proofhouse-rolling-"))
    with mock_target(LATENCY) as target, fleet(arguments.database, APIS, arguments.workers, folder) as running:
        began = time.monotonic()
        load = restart_under_load(running, target, arguments.clients, arguments.rounds)
        seconds = time.monotonic() - began
        well = show(load, outcome(load), seconds)
    if not well:
        sys.exit(f"Not as it must be; the logs are in {folder}.")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
