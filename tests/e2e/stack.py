"""`proofhouse up` and other commands as the processes that users start."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from tests.support.stack import still_running

READY = re.compile(r"Proofhouse is ready at (\S+) \(key in (.+?)(?:, model at (\S+))?\)\n")


@dataclass
class Finished:
    """A command that has ended."""

    code: int
    out: str
    err: str


@dataclass
class RunningStack:
    """A stack that is ready."""

    process: "subprocess.Popen[str]"
    folder: Path
    url: str
    model_url: str | None
    family: list[psutil.Process] = field(default_factory=list)

    def run(self, *arguments: str, stdin: str = "") -> Finished:
        """Run a client command against it."""
        return proofhouse(*arguments, stdin=stdin, PROOFHOUSE_URL=self.url, PROOFHOUSE_DATA_DIR=str(self.folder))

    def submit(self, spec: dict[str, Any]) -> Finished:
        return self.run("submit", "-", "--wait", "--json", stdin=json.dumps(spec))

    def left_behind(self, seconds: float) -> list[psutil.Process]:
        """Which of its processes still run after that time."""
        return still_running(self.family, seconds)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "service.cli", *arguments]


def environment(**settings: str) -> dict[str, str]:
    """This process's environment without settings of ours, and then those."""
    ours = ("PROOFHOUSE_", "PROMETHEUS_")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)} | settings


def proofhouse(*arguments: str, stdin: str = "", **settings: str) -> Finished:
    """Run a command to its end."""
    ended = subprocess.run(  # noqa: S603 - our own command
        command(*arguments),
        input=stdin,
        env=environment(**settings),
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    return Finished(ended.returncode, ended.stdout, ended.stderr)


@contextmanager
def up(folder: Path, *options: str) -> Iterator[RunningStack]:
    """A stack of the test's own, stopped at the end if the test has not done so."""
    process = subprocess.Popen(  # noqa: S603 - our own command
        command("up", "--data", str(folder), "--port", "0", *options),
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        line = process.stdout.readline()
        found = READY.fullmatch(line)
        assert found, line
        stack = RunningStack(process, folder, found[1], found[3])
        stack.family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        yield stack
    finally:
        process.terminate()
        process.communicate(timeout=120)
