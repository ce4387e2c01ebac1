"""Whether four workers together keep to requests_per_minute, counted by the target over more than a minute.

python -m bench.rates
"""

import argparse
import sys
import time

from bench.stack import FINAL, mock_target, running, stats

WORKERS = 4
PER_MINUTE = 600
SECONDS = 75


def main() -> None:
    """Print the busiest minute; exit 1 when it is above the limit."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    database = parser.parse_args().database
    with mock_target(0.2) as address, running(database, WORKERS) as bench:
        job_id = bench.submit(_spec(address))
        began = time.monotonic()
        while time.monotonic() - began < SECONDS and bench.job(job_id)["status"] not in FINAL:
            time.sleep(0.5)
        seen = stats(address)
        seconds = time.monotonic() - began
        bench.client.post(f"/v1/jobs/{job_id}/cancel").raise_for_status()
    print(f"{WORKERS} workers, requests_per_minute {PER_MINUTE}, {seconds:.0f} s: {seen['hits']} requests, ", end="")
    print(f"{seen['busiest_minute']} within the busiest minute, at most {seen['peak']} at once")
    sys.exit(seen["busiest_minute"] > PER_MINUTE)


def _spec(address: str) -> dict[str, object]:
    return {
        "target": {
            "type": "openai",
            "base_url": f"{address}/v1",
            "model": "mock",
            "max_concurrency": 64,
            "requests_per_minute": PER_MINUTE,
        },
        "suite": {"generator": "matrix", "tests_per_cell": 4, "limit": PER_MINUTE * 2, "seed": 7},
        "judge": {"type": "rules"},
    }


if __name__ == "__main__":
    main()
