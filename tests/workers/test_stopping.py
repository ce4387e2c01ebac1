import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from workers.stopping import Stopping

ORPHAN = """
import os, time
from workers.stopping import Stopping

reading, writing = os.pipe()
if os.fork():
    os.read(reading, 1)
    os._exit(0)
stopping = Stopping()
stopping.watch()
print("with a parent:", stopping())
os.write(writing, b"x")
deadline = time.monotonic() + 10
while not stopping() and time.monotonic() < deadline:
    time.sleep(0.01)
print("without:", stopping(), flush=True)
os._exit(0)
"""


@pytest.fixture
def stopping() -> Iterator[Stopping]:
    """Watching in this process, whose own handlers come back afterwards."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    stopping = Stopping()
    stopping.watch()
    yield stopping
    for number, handler in handlers.items():
        signal.signal(number, handler)


def test_a_process_goes_on_until_it_is_told_otherwise(stopping: Stopping) -> None:
    assert not stopping()


def test_sigterm_asks_a_process_to_stop_and_does_not_end_it(stopping: Stopping) -> None:
    signal.raise_signal(signal.SIGTERM)
    assert stopping()


def test_a_second_sigterm_does_not_end_it_either(stopping: Stopping) -> None:
    signal.raise_signal(signal.SIGTERM)
    signal.raise_signal(signal.SIGTERM)
    assert stopping()


def test_ctrl_c_is_left_to_the_parent(stopping: Stopping) -> None:
    signal.raise_signal(signal.SIGINT)
    assert not stopping()


def test_a_process_that_begins_to_watch_was_not_told_anything_yet(stopping: Stopping) -> None:
    signal.raise_signal(signal.SIGTERM)
    stopping.watch()
    assert not stopping()


def test_a_process_whose_parent_dies_stops() -> None:
    told = subprocess.run([sys.executable, "-c", ORPHAN], capture_output=True, text=True, timeout=30, check=True)  # noqa: S603
    assert told.stdout.splitlines() == ["with a parent: False", "without: True"]
