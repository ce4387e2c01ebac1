"""What the Dockerfile would make, in a folder and without Docker."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.dockerfile import ROOT, Instruction, environment, instructions, words

UID = 65532
BY = {"user": UID, "group": UID, "extra_groups": []} if os.geteuid() == 0 else {}
"""Whoever runs this, the steps run without any right to write elsewhere."""


class Image:
    """A folder that stands for the image's root: absolute paths of the Dockerfile are taken to be in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.tmp = root / "tmp"
        self.data = root / "data"
        self.context = root / "context"
        self.source = root / "src"

    def build(self) -> None:
        for folder in (self.root, self.tmp, self.source, self.root / "opt"):
            self._give(folder)
        _context(self.context)
        for one in instructions():
            self._do(one)
        _write_protected(self.root / "opt")
        if BY:
            os.chown(self.root, 0, 0)

    def _do(self, one: Instruction) -> None:
        if one.name == "COPY" and "--from=build" in one.rest:
            source, target = words(one)
            assert source == target, "the second stage has everything where the first put it"
        elif one.name == "COPY":
            *sources, target = words(one)
            self._run(f"mkdir -p $(dirname {self.source / target})")
            for source in sources:
                self._run(f"cp -R --no-preserve=mode {self.context / source} {self.source / target}")
        elif one.name == "RUN":
            self._run(self._moved(one.rest).replace("python -m venv", f"{_python()} -m venv"))

    def _run(self, command: str) -> None:
        subprocess.run(["sh", "-c", command], cwd=self.source, env=self._building(), check=True, **BY)  # noqa: S603, S607

    def _moved(self, text: str) -> str:
        for folder in ("/opt/proofhouse", "/data"):
            text = text.replace(folder, f"{self.root}{folder}")
        return text

    def _building(self) -> dict[str, str]:
        """The machine's own way to its packages, and nothing of its Python."""
        registry = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "HTTP", "SSL_"))}
        return registry | _pip_settings() | {"PATH": os.defpath, "HOME": str(self.tmp), "TMPDIR": str(self.tmp)}

    def _give(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        if BY:
            os.chown(folder, UID, UID)

    def start(self, *arguments: str, **settings: str) -> subprocess.Popen[str]:
        """The image's entry point with these arguments and settings, in the environment that the image sets."""
        given = {name: self._moved(value) for name, value in environment(stage=1).items()}
        there = given | {"HOME": str(self.tmp), "TMPDIR": str(self.tmp)} | settings
        command = [self.root / "opt/proofhouse/bin/proofhouse", *arguments]
        return subprocess.Popen(  # noqa: S603
            command, cwd=self.data, env=there, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **BY
        )

    def output(self, *arguments: str, **settings: str) -> str:
        process = self.start(*arguments, **settings)
        output, _ = process.communicate(timeout=60)
        assert process.returncode == 0, output
        return output


def _python() -> str:
    """An interpreter that the user of the image may run too; ours may lie in a home."""
    for python in (sys._base_executable, "/usr/bin/python3"):  # type: ignore[attr-defined]
        probe = "import ensurepip, sys; sys.exit(sys.version_info < (3, 11))"
        try:
            if subprocess.run([python, "-I", "-c", probe], cwd="/", env={}, check=False, **BY).returncode == 0:  # noqa: S603
                return str(python)
        except OSError:
            continue
    pytest.fail("there is no Python 3.11 that another user may run")


def _pip_settings() -> dict[str, str]:
    """What this user's pip is configured with, as variables, for the other user can't read those files."""
    listed = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True)
    pairs = [line.split("=", 1) for line in listed.stdout.splitlines() if line.startswith(("global.", "install."))]
    return {f"PIP_{name.split('.')[1].replace('-', '_').upper()}": value.strip("'") for name, value in pairs}


def _context(folder: Path) -> None:
    """What the Dockerfile may copy, for everybody to read and nobody to write."""
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        if line.startswith("!"):
            source, target = ROOT / line[1:], folder / line[1:]
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, target)
    _write_protected(folder)


def _write_protected(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            if BY:
                os.chown(path, 0, 0)
            path.chmod(path.stat().st_mode & ~0o222 | (0o555 if path.is_dir() else 0o444))
