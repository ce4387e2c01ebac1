"""How a job's progress is shown: a bar on a terminal, a line now and then elsewhere, JSON for scripts."""

import json
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from service.cli.client import Json
from service.cli.text import plain

LINE_SECONDS = 5


class Display(Protocol):
    """Shows a job each time it was looked at."""

    def show(self, job: Json) -> None:
        """Show the job as it is now."""

    def note(self, message: str) -> None:
        """Say something about the watching itself."""


class Bar:
    """A bar on standard error."""

    def __init__(self) -> None:
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[numbers]}", markup=False),
        )
        self.progress = Progress(*columns, console=Console(stderr=True), expand=True)
        self._task = self.progress.add_task("waiting", total=None, numbers="")

    def show(self, job: Json) -> None:
        """Move the bar."""
        progress = job["progress"]
        self.progress.update(
            self._task,
            description=plain(str(job["status"])),
            total=progress["total"] or None,
            completed=progress["done"],
            numbers=_numbers(job),
        )

    def note(self, message: str) -> None:
        """Say it above the bar."""
        self.progress.console.print(plain(message), markup=False, highlight=False)


class Lines:
    """A line on standard error every few seconds, and when the status changes."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._status: Any = None
        self._last = 0.0

    def show(self, job: Json) -> None:
        """Print a line if it is time to."""
        if job["status"] == self._status and self._clock() - self._last < LINE_SECONDS:
            return
        self._status, self._last = job["status"], self._clock()
        click.echo(f"{plain(str(job['status']))} {_numbers(job)}", err=True)

    def note(self, message: str) -> None:
        """Print it."""
        click.echo(plain(message), err=True)


class JsonLines:
    """The job as one line of JSON on standard output whenever it has changed."""

    def __init__(self) -> None:
        self._last = ""

    def show(self, job: Json) -> None:
        """Print the job unless it is as before."""
        line = json.dumps(job)
        if line != self._last:
            click.echo(line)
        self._last = line

    def note(self, message: str) -> None:
        """Print it on standard error."""
        click.echo(plain(message), err=True)


def display() -> AbstractContextManager[Display]:
    """What suits standard error, for a `with` block."""
    if not sys.stderr.isatty():
        return nullcontext(Lines())
    return _running(Bar())


class _running(AbstractContextManager[Display]):  # noqa: N801 - read as a function
    def __init__(self, bar: Bar) -> None:
        self._bar = bar

    def __enter__(self) -> Display:
        self._bar.progress.start()
        return self._bar

    def __exit__(self, *exc: object) -> None:
        self._bar.progress.stop()


def counts(progress: Json) -> str:
    """Results by verdict."""
    return ", ".join(f"{int(progress[name])} {name}" for name in ("safe", "unsafe", "unknown", "errors"))


def _numbers(job: Json) -> str:
    progress = job["progress"]
    parts = [f"{int(progress['done'])}/{int(progress['total'])}"]
    if progress.get("rate_per_second"):
        parts.append(f"{float(progress['rate_per_second']):.1f}/s")
    if progress.get("eta_seconds") is not None and progress["done"] < progress["total"]:
        parts.append(f"{_duration(float(progress['eta_seconds']))} left")
    return " · ".join([*parts, counts(progress)])


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
