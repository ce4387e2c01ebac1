"""How close a job comes to a bare loop: from POST accepted to completed, beside the bare loop in the same run.

make bench                      every row on both databases
python -m bench.throughput --database sqlite --rows 0 1
"""

import argparse
import os
import platform
import subprocess
import sys
import threading
import time
from dataclasses import dataclass

from bench.stack import mock_target, running, stats

WORKERS = 2


@dataclass(frozen=True)
class Row:
    """One piece of work and the ratio to the bare loop that it must stay within."""

    cases: int
    concurrency: int
    sigma: float
    limit: float

    def __str__(self) -> str:
        latency = "500 ms" if not self.sigma else f"log-normal, median 500 ms, sigma {self.sigma}"
        return f"{self.cases:,} cases, {latency}, {self.concurrency} at once"


ROWS = (
    Row(1_260, 64, 0.0, 1.25),
    Row(1_260, 256, 0.0, 1.8),
    Row(10_080, 256, 0.0, 1.5),
    Row(1_260, 64, 0.8, 1.3),
)


@dataclass(frozen=True)
class Measured:
    """What one row took."""

    bare: float
    ours: float
    cpu_ms: float
    peak_mib: float
    concurrency: int

    @property
    def ratio(self) -> float:
        """Ours to the bare loop's."""
        return self.ours / self.bare


def measure(row: Row, database: str) -> Measured:
    """Run the bare loop, then the service, on the same work."""
    with mock_target(0.5, row.sigma) as address:
        bare = _bare(row, address)
    with mock_target(0.5, row.sigma) as address, running(database, WORKERS) as bench:
        watcher = threading.Thread(target=bench.watch_memory)
        watcher.start()
        cpu = bench.cpu_seconds()
        started = time.perf_counter()
        job = bench.wait(bench.submit(_spec(row, address)))
        ours = time.perf_counter() - started
        cpu = bench.cpu_seconds() - cpu
        bench.stop_watching()
        watcher.join()
        seen = stats(address)
        if job["status"] != "completed" or job["progress"]["done"] != row.cases or seen["hits"] != row.cases:
            raise RuntimeError(f"{row} on {database}: {job['status']}, {job['progress']}, {seen}")
        return Measured(bare, ours, 1000 * cpu / row.cases, bench.peak_horse_bytes / 2**20, seen["peak"])


def _bare(row: Row, address: str) -> float:
    options = ("--url", f"{address}/v1", "--cases", str(row.cases), "--concurrency", str(row.concurrency))
    return float(subprocess.check_output([sys.executable, "-m", "bench.bare_loop", *options]))


def _spec(row: Row, address: str) -> dict[str, object]:
    return {
        "target": {
            "type": "openai",
            "base_url": f"{address}/v1",
            "model": "mock",
            "max_concurrency": row.concurrency,
        },
        "suite": {"generator": "matrix", "tests_per_cell": -(-row.cases // 420), "limit": row.cases, "seed": 7},
        "judge": {"type": "rules"},
    }


def main() -> None:
    """Print the table; exit 1 when a row is over its limit."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--database", choices=["sqlite", "postgresql"], nargs="+", default=["sqlite", "postgresql"])
    parser.add_argument("--rows", type=int, nargs="+", default=range(len(ROWS)))
    arguments = parser.parse_args()
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}, {WORKERS} workers, judge rules\n")
    print("| work | database | bare loop | Proofhouse | ratio | limit | CPU a case | peak memory of a process |")
    print("|---|---|---|---|---|---|---|---|")
    over = False
    for row in (ROWS[number] for number in arguments.rows):
        for database in arguments.database:
            found = measure(row, database)
            over |= found.ratio > row.limit
            print(
                f"| {row} | {database} | {found.bare:.1f} s | {found.ours:.1f} s | {found.ratio:.2f} | {row.limit} "
                f"| {found.cpu_ms:.1f} ms | {found.peak_mib:.0f} MiB |",
                flush=True,
            )
    sys.exit(over)


if __name__ == "__main__":
    main()
