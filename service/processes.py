"""Running several processes as one: started in order, started again when one ends, stopped in reverse order."""

import ctypes
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType

POLL_SECONDS = 0.2
RESTART_SECONDS = 1
PR_SET_PDEATHSIG = 1
"""prctl(2): the signal that the kernel sends a process when its parent dies."""

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Child:
    """A process to keep running. `stop_seconds` is how long it may take to end before it is killed."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    stop_seconds: float
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        """Start it, in a session of its own: Ctrl-C in a terminal reaches the parent alone, which stops them."""
        self.process = subprocess.Popen(  # noqa: S603 - our own commands
            self.command, env={**os.environ, **self.environment}, start_new_session=True
        )

    def stop(self) -> None:
        """Ask it to end and wait; kill it when it takes too long."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(self.stop_seconds)
        except subprocess.TimeoutExpired:
            logger.warning("%s did not stop within %d s; killing it", self.name, self.stop_seconds)
            self.process.kill()
            self.process.wait()


class Supervisor:
    """Keeps children running until it is told to stop by SIGTERM or SIGINT."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._children: list[Child] = []
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._request_stop)

    @property
    def stopping(self) -> bool:
        """Whether it was told to stop."""
        return self._stop.is_set()

    def add(self, name: str, *command: str, environment: Mapping[str, str] | None = None, stop_seconds: float) -> None:
        """Start another child."""
        child = Child(name, command, environment or {}, stop_seconds)
        self._children.append(child)
        child.start()

    def run(self) -> None:
        """Watch over the children until told to stop."""
        while not self._stop.wait(POLL_SECONDS):
            for child in self._children:
                self._revive(child)

    def stop(self) -> None:
        """Stop all children, last started first."""
        while self._children:
            self._children.pop().stop()

    def _revive(self, child: Child) -> None:
        if child.process is None or child.process.poll() is None:
            return
        logger.warning("%s ended with status %s; starting it again", child.name, child.process.returncode)
        self._stop.wait(RESTART_SECONDS)
        if not self._stop.is_set():
            child.start()

    def _request_stop(self, _signal: int, _frame: FrameType | None) -> None:
        self._stop.set()


def python(module: str, *arguments: str) -> tuple[str, ...]:
    """The command that runs one of our modules with this interpreter."""
    return (sys.executable, "-m", module, *arguments)


def end_with_parent() -> None:
    """Ask the kernel to send this process SIGTERM should its parent die, however it dies. Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
