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
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from service.cli.servers import answers
from tests.deploy.image import BY, Image
from tests.e2e.test_docs import free_port
from tests.support.spans import collector

pytestmark = pytest.mark.skipif("PROOFHOUSE_IMAGE" not in os.environ, reason="downloads packages: make image-check")

JOB = {
    "target": {"type": "scripted", "replies": [{"text": "I cannot help with that."}]},
    "suite": {"generator": "matrix", "limit": 42},
}


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


def test_a_job_goes_from_submission_to_its_end_in_one_trace(image: Image, settings: Mapping[str, str]) -> None:
    """Migration, API and worker, each as a container would start it, and told where to send their spans."""
    with collector() as traces:
        _a_job_runs(image, {**settings, "OTEL_EXPORTER_OTLP_ENDPOINT": traces.url})
        assert traces.services() == {"proofhouse-api", "proofhouse-worker"}
        spans = traces.spans()
    assert spans["run batches"] == spans["POST /v1/jobs"]


def _a_job_runs(image: Image, settings: Mapping[str, str]) -> None:
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
