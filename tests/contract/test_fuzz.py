"""What the service does is what openapi.yaml says, whatever is sent: schemathesis against a really running server."""

import asyncio
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from service.domain.roles import Role
from service.pipeline.execute import execute
from service.pipeline.plan import plan
from service.pipeline.services import Services
from service.pipeline.submit import submit
from service.settings import Settings
from service.store import keys
from tests.support.specs import job_spec
from tests.support.stack import environment

ROOT = Path(__file__).parents[2]
EXAMPLES = 200
"""Requests made up for each operation in the fuzzing phase alone."""

CONFIG = """
[phases.stateful.generation]
max-examples = 60  # sequences of requests, each of several
"""

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "valid_requests_are_accepted",  # ours: fuzz_hooks.py
    "missing_required_header",
    "unsupported_method",
    "allow_header_conformance",
    "ignored_auth",
    "use_after_free",
    "ensure_resource_availability",
)


@pytest.fixture
def settings(sqlite_url: str, valkey_url: str) -> Settings:
    return Settings(sqlite_url, valkey_url, (Fernet.generate_key().decode(),), queue="fuzz")


@pytest.fixture
def key(settings: Settings) -> str:
    """An admin's key; its tenant has one finished job."""
    services = Services.from_settings(settings)
    with services.store.write() as session:
        _, key = keys.create(session, tenant="acme", name="fuzz", role=Role.ADMIN)
    job = submit(services, job_spec(5), tenant="acme")
    plan(services, job.id)
    asyncio.run(execute(services, job.id, lambda: False))
    services.close()
    return key


@pytest.fixture
def server(settings: Settings, key: str, tmp_path: Path) -> Iterator[str]:
    """The service as it is deployed, under gunicorn."""
    port = _free_port()
    command = ["-m", "gunicorn", "-c", "python:service.gunicorn_conf", "-b", f"127.0.0.1:{port}", "service.wsgi:app"]
    with (tmp_path / "server.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, *command], cwd=ROOT, env=environment(settings), stderr=log
        )
        try:
            _wait_for(f"http://127.0.0.1:{port}/readyz")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(10)


def test_no_request_makes_the_service_break_its_contract(server: str, key: str, tmp_path: Path) -> None:
    (tmp_path / "schemathesis.toml").write_text(CONFIG)
    command = [
        *(str(Path(sys.executable).with_name("schemathesis")), "run", str(ROOT / "openapi.yaml"), "--url", server),
        *("--header", f"Authorization: Bearer {key}", "--checks", ",".join(CHECKS), "--generation-deterministic"),
        *("--phases", "examples,coverage,fuzzing,stateful", "--max-examples", str(EXAMPLES), "--no-color"),
    ]
    hooks = {"SCHEMATHESIS_HOOKS": "tests.contract.fuzz_hooks", "PYTHONPATH": str(ROOT)}
    result = subprocess.run(  # noqa: S603 - our own command
        command, capture_output=True, text=True, cwd=tmp_path, env={**os.environ, **hooks}, check=False
    )
    log = (tmp_path / "server.log").read_text()
    assert result.returncode == 0, result.stdout[-20_000:] + result.stderr + log[-5000:]
    assert "Traceback" not in log, log[-5000:]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(url: str, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()  # noqa: S310 - our own address
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return
