"""The shell blocks of a page, run as printed.

A ```bash block is run; a ```console block after it is what it prints, where `…` stands for anything, and a line of
nothing else for any lines. Any other block is not run: ```sh needs what a test has not got, or never ends.
"""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.stack import environment

ROOT = Path(__file__).parents[2]
SECONDS = 60

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass
class Block:
    """Commands, with the line of the page where they start, and what the page says that they print."""

    line: int
    commands: str
    shown: str = ""


def blocks(page: str) -> list[Block]:
    """The blocks of a page that are run, in order."""
    text = (ROOT / page).read_text()
    found: list[Block] = []
    before = ""
    for fence in _FENCE.finditer(text):
        if fence[1] == "bash":
            found.append(Block(text.count("\n", 0, fence.start()) + 2, fence[2]))
        elif fence[1] == "console" and before == "bash":
            found[-1].shown = fence[2]
        before = fence[1]
    return found


def run(page: str, folder: Path, replace: Mapping[str, str]) -> None:
    """Run all blocks of a page in one shell, each line as printed but for `replace`, and hold what they print to it."""
    found = blocks(page)
    assert found, f"{page} has no block to run"
    for block, text in zip(found, printed(found, folder, page, replace), strict=True):
        _compare(f"{page}:{block.line}", text, block.shown)


def printed(found: list[Block], folder: Path, page: str, replace: Mapping[str, str], **settings: str) -> list[str]:
    """Run blocks in one shell under these settings; gives what each prints."""
    return _printed(_script(found, replace), folder, page, settings).split("\0")[1:]


def _script(found: list[Block], replace: Mapping[str, str]) -> str:
    """Every block after a NUL, so that what each prints can be told apart."""
    script = "".join(f"printf '\\0'\n{block.commands}" for block in found)
    for old, new in replace.items():
        script = script.replace(old, new)
    return script


def _printed(script: str, folder: Path, page: str, settings: Mapping[str, str]) -> str:
    """What the script prints. It ends at the first command that fails and, where the page hides it, in a pipe."""
    own = Path(sys.executable).parent
    process = subprocess.Popen(  # noqa: S603 - our own pages
        ["/bin/bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env=environment(PATH=f"{own}{os.pathsep}{os.environ['PATH']}", NO_COLOR="1", **settings),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=SECONDS)
    finally:
        _end(process)
    assert process.returncode == 0, f"{page}: a command ended with {process.returncode}; all printed:\n{output}"
    return output


def _end(process: "subprocess.Popen[str]") -> None:
    """Whatever the page left running ends with it."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait()


def _compare(place: str, printed: str, shown: str) -> None:
    """Every line shown was printed, in that order; how wide a table's columns are is of no consequence."""
    lines = [" ".join(line.split()) for line in printed.splitlines()]
    at = 0
    for line in shown.splitlines():
        if line.strip() in {"", "…"}:
            continue
        pattern = re.compile(".*".join(map(re.escape, " ".join(line.split()).split("…"))))
        here = next((number for number in range(at, len(lines)) if pattern.fullmatch(lines[number])), None)
        assert here is not None, f"{place} shows a line that was not printed:\n{line}\nPrinted:\n{printed}"
        at = here + 1
