"""The image's own steps, carried out without Docker.

What they install is installed by a user who is not root, from sources that nobody may write to. Then each command is
started with a writable /tmp and data folder and nothing else. It needs the package registry that this machine is set up
for, so `make image-check` runs it, and `make test` does not.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from service.cli.servers import answers
from tests.deploy.dockerfile import ROOT, Instruction, environment, instructions, words
from tests.e2e.test_docs import free_port

pytestmark = pytest.mark.skipif("PROOFHOUSE_IMAGE" not in os.environ, reason="downloads packages: make image-check")

UID = 65532
BY = {"user": UID, "group": UID, "extra_groups": []} if os.geteuid() == 0 else {}
"""Whoever runs this, the steps run without any right to write elsewhere."""
JOB = {
    "target": {"type": "scripted", "replies": [{"text": "I cannot help with that."}]},
    "suite": {"generator": "matrix", "limit": 42},
}


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


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    folder = Path(tempfile.mkdtemp(prefix="proofhouse-image-"))
    folder.chmod(0o755)
    try:
        image = Image(folder)
        image.build()
        yield image
    finally:
        subprocess.run(["chmod", "-R", "u+w", folder], check=True)  # noqa: S603, S607
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def settings(image: Image, valkey_url: str) -> Mapping[str, str]:
    socket = Path(valkey_url.removeprefix("unix://"))
    socket.parent.chmod(0o755)
    socket.chmod(0o777)
    return {
        "PROOFHOUSE_DATABASE_URL": f"sqlite:///{image.data}/proofhouse.db",
        "PROOFHOUSE_REDIS_URL": valkey_url,
        "PROOFHOUSE_SECRET_KEY": Fernet.generate_key().decode(),
    }


def test_nothing_that_installs_or_builds_is_left(image: Image) -> None:
    site = next(image.root.glob("opt/proofhouse/lib/python3*/site-packages"))
    assert not [name for name in ("pip", "setuptools", "wheel") if (site / name).exists()]
    assert not list((image.tmp).rglob("*.whl"))


def test_the_image_s_user_may_not_write_to_what_was_installed(image: Image) -> None:
    attempt = subprocess.run(  # noqa: S603
        ["sh", "-c", f"touch {image.root}/opt/proofhouse/new {image.context}/new"],  # noqa: S607
        check=False,
        capture_output=True,
        **BY,
    )
    assert attempt.returncode != 0
    assert not list(image.root.glob("*/new"))


@pytest.mark.parametrize("command", [("--help",), ("serve", "--help"), ("worker", "--help"), ("db", "--help")])
def test_every_command_says_how_it_is_used(image: Image, command: tuple[str, ...]) -> None:
    assert "Usage: proofhouse" in image.output(*command)


def test_a_job_goes_from_submission_to_its_end(image: Image, settings: Mapping[str, str]) -> None:
    """Migration, API and worker, each as a container would start it."""
    assert "up to date" in image.output("db", "upgrade", **settings)
    api, metrics = free_port(), free_port()
    url = f"http://127.0.0.1:{api}"
    running = [
        image.start("serve", "--host", "0.0.0.0", "--port", str(api), **settings),  # noqa: S104
        image.start("worker", **settings, PROOFHOUSE_WORKER_METRICS_PORT=str(metrics)),
    ]
    try:
        _until(f"{url}/readyz")
        _until(f"http://127.0.0.1:{metrics}/metrics")
        create = ("keys", "create", "--tenant", "default", "--role", "submitter", "--name", "image")
        key = image.output(*create, **settings).strip()
        (image.data / "job.json").write_text(json.dumps(JOB))
        said = image.output("submit", "job.json", "--wait", PROOFHOUSE_URL=url, PROOFHOUSE_API_KEY=key)
        assert "completed, 42 of 42 done" in said
    finally:
        for process in running:
            process.send_signal(signal.SIGTERM)
        ended = [(process.communicate(timeout=40)[0], process.returncode) for process in running]
    assert [status for _, status in ended] == [0, 0], ended


def test_everything_in_one_container_comes_up_and_ends(image: Image) -> None:
    port = free_port()
    process = image.start("up", "--host", "0.0.0.0", "--port", str(port), "--workers", "1")  # noqa: S104
    try:
        _until(f"http://127.0.0.1:{port}/readyz")
        assert (image.data / "admin.key").exists()
    finally:
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 0, said


def _until(url: str, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not answers(url):
        assert time.monotonic() < deadline, f"{url} does not answer"
        time.sleep(0.2)
