"""A very large job: how soon it is planned, what memory it takes, and whether everybody else still gets along.

python -m bench.scale
python -m bench.scale --cases 20000
"""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

import httpx2
import psutil

from bench.stack import Bench, mock_target, running

WORKERS = 2
CONCURRENCY = 256
LATENCY = 0.03
SMALL_CASES = 42
PAGE = 100
SAMPLES = 20


@dataclass
class Memory:
    """The most memory that any one process of a family held, looked at ten times a second; use as a context."""

    process: psutil.Process
    peak: int = 0
    who: str = ""
    _ended: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(0.1):
            for member in [self.process, *self.process.children(recursive=True)]:
                try:
                    self._note(member.memory_info().rss, member)
                except psutil.Error:
                    continue

    def _note(self, size: int, member: psutil.Process) -> None:
        if size > self.peak:
            self.peak, self.who = size, " ".join(member.cmdline())[-60:]


@dataclass
class Figures:
    """What was measured, beside what it must stay under."""

    over: bool = False

    def show(self, what: str, value: float, unit: str, limit: float | None = None, note: str = "") -> None:
        """Print one row; remember when it is over its limit."""
        over = limit is not None and value >= limit
        self.over |= over
        limits = f"{limit:g} {unit}" if limit is not None else "–"
        print(f"| {what} | {value:,.1f} {unit} | {limits} | {'**over**' if over else 'ok'} | {note} |", flush=True)


def measure(bench: Bench, address: str, cases: int, figures: Figures) -> None:
    """Run the large job, a small one of another tenant in the middle of it, then read the large one in every way."""
    with Memory(bench.process) as memory:
        started = time.perf_counter()
        job_id = bench.submit(_spec(address, cases, "large"))
        _until(bench, job_id, lambda job: job["status"] == "running")
        figures.show(f"planning {cases:,} cases", time.perf_counter() - started, "s", 20)
        _until(bench, job_id, lambda job: job["progress"]["done"] >= cases / 3)
        figures.show(f"{SMALL_CASES} cases of another tenant in the middle", _small_job(bench, address), "s", 30)
        job = bench.wait(job_id, poll=0.5)
        seconds = time.perf_counter() - started
    if job["status"] != "completed" or job["progress"]["done"] != cases:
        raise RuntimeError(f"{job['status']}: {job['progress']}")
    figures.show("all of it", cases / seconds, "cases/s", note=f"{seconds:.0f} s")
    figures.show("peak memory of a process", memory.peak / 2**20, "MiB", 300, memory.who)
    _read(bench, job_id, cases, figures)


def _read(bench: Bench, job_id: str, cases: int, figures: Figures) -> None:
    path = f"/v1/jobs/{job_id}"
    figures.show("report", _median_ms(lambda: _get(bench.client, f"{path}/report")), "ms", 200)
    figures.show("job", _median_ms(lambda: _get(bench.client, path)), "ms", 50)
    first = {"limit": PAGE}
    figures.show("first page of results", _median_ms(lambda: _get(bench.client, f"{path}/results", first)), "ms", 50)
    last = _last_cursor(bench.client, f"{path}/results")
    figures.show("last page of results", _median_ms(lambda: _get(bench.client, f"{path}/results", last)), "ms", 50)
    rare = {"limit": PAGE, "verdict": "unsafe"}
    figures.show("a filter that nothing passes", _median_ms(lambda: _get(bench.client, f"{path}/results", rare)), "ms")
    with Memory(bench.process) as memory:
        time.sleep(0.5)
        before = memory.peak
        started = time.perf_counter()
        rows = _export(bench.client, f"{path}/results")
        seconds = time.perf_counter() - started
    if rows != cases:
        raise RuntimeError(f"the export has {rows} rows")
    figures.show("NDJSON export", rows / seconds, "rows/s", note=f"{seconds:.1f} s")
    figures.show("growth of the largest process in the export", (memory.peak - before) / 2**20, "MiB", 50)


def _small_job(bench: Bench, address: str) -> float:
    """Seconds from POST to completed, by the client of another tenant."""
    command = (sys.executable, "-m", "service.cli", "keys", "create", "--tenant", "other", "--role", "submitter")
    environment = {**os.environ, "PROOFHOUSE_DATA_DIR": _data_folder(bench)}
    key = subprocess.check_output([*command, "--name", "bench"], env=environment, text=True).strip()
    base_url, headers = bench.client.base_url, {"Authorization": f"Bearer {key}"}
    with httpx2.Client(base_url=base_url, headers=headers, trust_env=False, timeout=60) as client:
        other = Bench(client, bench.process)
        started = time.perf_counter()
        job = other.wait(other.submit(_spec(address, SMALL_CASES, "small")))
        if job["status"] != "completed":
            raise RuntimeError(f"the small job: {job['status']}")
        return time.perf_counter() - started


def _data_folder(bench: Bench) -> str:
    command = bench.process.cmdline()
    return command[command.index("--data") + 1]


def _until(bench: Bench, job_id: str, reached: Callable[[dict[str, Any]], bool]) -> None:
    while not reached(bench.job(job_id)):
        time.sleep(0.1)


def _get(client: httpx2.Client, path: str, query: dict[str, Any] | None = None) -> Any:
    response = client.get(path, params=query)
    response.raise_for_status()
    return response.json()


def _median_ms(work: Callable[[], Any]) -> float:
    taken = []
    for _ in range(SAMPLES):
        started = time.perf_counter()
        work()
        taken.append(1000 * (time.perf_counter() - started))
    return statistics.median(taken)


def _last_cursor(client: httpx2.Client, path: str) -> dict[str, Any]:
    """Turn page after page; gives what asks for the last one."""
    query: dict[str, Any] = {"limit": 1000}
    while cursor := _get(client, path, query)["next_cursor"]:
        query = {"limit": 1000, "cursor": cursor}
    return query | {"limit": PAGE}


def _export(client: httpx2.Client, path: str) -> int:
    with client.stream("GET", path, headers={"Accept": "application/x-ndjson"}) as response:
        response.raise_for_status()
        return sum(1 for _ in response.iter_lines())


def _spec(address: str, cases: int, model: str) -> dict[str, object]:
    return {
        "target": {
            "type": "openai",
            "base_url": f"{address}/v1",
            "model": model,
            "max_concurrency": CONCURRENCY,
        },
        "suite": {"generator": "matrix", "tests_per_cell": -(-cases // 420), "limit": cases, "seed": 7},
        "judge": {"type": "rules"},
    }


def main() -> None:
    """Print the table; exit 1 when a figure is over its limit."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, default=100_000)
    arguments = parser.parse_args()
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}, {WORKERS} workers, SQLite\n")
    print("| what | measured | limit | | |\n|---|---|---|---|---|")
    figures = Figures()
    with mock_target(LATENCY) as address, running("sqlite", WORKERS) as bench:
        measure(bench, address, arguments.cases, figures)
    sys.exit(figures.over)


if __name__ == "__main__":
    main()
