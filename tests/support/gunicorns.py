"""A gunicorn as the service has it, with two threads and a small app: see `patient` and `hurried`."""

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import psutil

from tests.support.stack import wait_for

ROOT = Path(__file__).parents[2]


@contextmanager
def patient_gunicorn(log: Path, settings: str = "patient") -> Iterator[tuple[psutil.Popen, int]]:
    """The process, whose only child answers the requests, and its port; it is stopped if the test has not done so."""
    module = f"tests.support.{settings}"
    command = ("-m", "gunicorn", "-c", f"python:{module}", "-b", "127.0.0.1:0", f"{module}:app")
    with log.open("wb") as file:
        process = psutil.Popen([sys.executable, *command], cwd=ROOT, stderr=file)
    try:
        yield process, wait_for(lambda: _port(log), 40, "gunicorn")
    finally:
        if process.is_running():
            process.terminate()
        process.wait(30)


def hurried_gunicorn(log: Path) -> AbstractContextManager[tuple[psutil.Popen, int]]:
    """One that soon cuts slow clients off."""
    return patient_gunicorn(log, "hurried")


def _port(log: Path) -> int | None:
    lines = log.read_text().splitlines()
    listening = [line for line in lines if "Listening at" in line]
    booted = any("Booting worker" in line for line in lines)
    return int(listening[0].split("127.0.0.1:")[1].split()[0]) if listening and booted else None
