"""Running several processes as one: started in order, started again when one ends, stopped in reverse order."""

import ctypes
import functools
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from service.errors import ProofhouseError

POLL_SECONDS = 0.2
RESTART_SECONDS = 1
PR_SET_PDEATHSIG = 1
"""prctl(2): the signal that the kernel sends a process when its parent dies."""

logger = logging.getLogger(__name__)


class StartError(ProofhouseError):
    """A process did not come up, or something that it needs is not there."""

    code = "start_failed"
    title = "Did not start"


class StoppedError(ProofhouseError):
    """Told to stop before everything had started."""

    code = "stopped"
    title = "Stopped"


@dataclass(slots=True)
class Child:
    """A process to keep running. `stop_seconds` is how long it may take to end before it is killed."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    stop_seconds: float
    log: Path | None = None
    """Where its output goes; None for where ours goes."""
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        """Start it, in a session of its own: Ctrl-C in a terminal reaches the parent alone, which stops them."""
        output = self.log.open("ab") if self.log else None
        try:
            self.process = subprocess.Popen(  # noqa: S603 - our own commands
                self.command,
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT if output else None,
                start_new_session=True,
                preexec_fn=ending_with_us(),  # noqa: PLW1509 - our supervisors have no other thread
            )
        finally:
            if output:
                output.close()

    @property
    def status(self) -> int | None:
        """The status it ended with; None while it runs."""
        return self.process.poll() if self.process else None

    def ask_to_end(self) -> None:
        """Send SIGTERM."""
        if self.process:
            self.process.send_signal(signal.SIGTERM)

    def wait(self) -> None:
        """Wait for its end; kill it when that takes too long."""
        if self.process is None:
            return
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
        self._groups: list[tuple[Child, ...]] = []
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._request_stop)

    @property
    def stopping(self) -> bool:
        """Whether it was told to stop."""
        return self._stop.is_set()

    def add(self, name: str, *command: str, environment: Mapping[str, str] | None = None, stop_seconds: float) -> None:
        """Start another child."""
        self.start(Child(name, command, environment or {}, stop_seconds))

    def start(self, *children: Child) -> None:
        """Start children that will be stopped at the same time."""
        self._groups.append(children)
        for child in children:
            child.start()

    def until(self, ready: Callable[[], bool], seconds: float, what: str) -> None:
        """Wait for something to become true, no longer than that.

        Raises:
            StartError: a child ended meanwhile, or the time is up.
            StoppedError: told to stop meanwhile.
        """
        deadline = time.monotonic() + seconds
        while not ready():
            for child in self._children():
                if child.status is not None:
                    raise StartError(
                        f"{child.name} ended with status {child.status} while starting.{_last_words(child)}"
                    )
            if time.monotonic() > deadline:
                raise StartError(f"{what} was not ready within {seconds:.0f} s.")
            if self._stop.wait(POLL_SECONDS):
                raise StoppedError("Stopped while starting.")

    def run(self) -> None:
        """Watch over the children until told to stop."""
        while not self._stop.wait(POLL_SECONDS):
            for child in self._children():
                self._revive(child)

    def stop(self) -> None:
        """Stop all children, last started first."""
        while self._groups:
            group = self._groups.pop()
            for child in group:
                child.ask_to_end()
            for child in group:
                child.wait()

    def _children(self) -> list[Child]:
        return [child for group in self._groups for child in group]

    def _revive(self, child: Child) -> None:
        if child.status is None:
            return
        logger.warning("%s ended with status %s; starting it again", child.name, child.status)
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
        _libc().prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def ending_with_us() -> Callable[[], None]:
    """What a child of this process should call between fork and exec: it ends when we do.

    That holds for whatever program is then executed. Asked for any later, our death could be missed.
    """
    parent = os.getpid()
    _libc()  # loaded here, because a forked process should do as little as it can

    def prepare() -> None:
        end_with_parent()
        if os.getppid() != parent:
            os._exit(1)

    return prepare


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None)


def _last_words(child: Child, lines: int = 15) -> str:
    if child.log is None:
        return ""
    end = child.log.read_text(errors="replace").splitlines()[-lines:]
    return "\n".join((f" The end of {child.log}:", *end))
