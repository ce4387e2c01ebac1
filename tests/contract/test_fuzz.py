"""What the service does is what openapi.yaml says, whatever is sent: schemathesis against a really running server."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.thorough import THOROUGH, times

ROOT = Path(__file__).parents[2]
EXAMPLES = times(3, thorough=200)
"""Requests made up for each operation in the fuzzing phase alone."""
PHASES = "examples,coverage,fuzzing,stateful" if THOROUGH else "examples,fuzzing,stateful"
"""The phase that covers every keyword of every schema takes a minute of computing, whatever the number of examples."""

CONFIG = f"""
[phases.stateful.generation]
max-examples = {EXAMPLES * 3 // 10 + 3}  # sequences of requests, each of several
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


def test_no_request_makes_the_service_break_its_contract(
    server: str, served_key: str, served_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "schemathesis.toml").write_text(CONFIG)
    command = [
        *(str(Path(sys.executable).with_name("schemathesis")), "run", str(ROOT / "openapi.yaml"), "--url", server),
        *("--header", f"Authorization: Bearer {served_key}", "--checks", ",".join(CHECKS)),
        *("--phases", PHASES, "--max-examples", str(EXAMPLES)),
        *("--generation-deterministic", "--no-color"),
        *("--request-timeout", "20"),  # a test call to a target may take 15 seconds
    ]
    hooks = {"SCHEMATHESIS_HOOKS": "tests.contract.fuzz_hooks", "PYTHONPATH": str(ROOT)}
    result = subprocess.run(  # noqa: S603 - our own command
        command, capture_output=True, text=True, cwd=tmp_path, env={**os.environ, **hooks}, check=False
    )
    log = (served_folder / "server.log").read_text()
    assert result.returncode == 0, result.stdout[-20_000:] + result.stderr + log[-5000:]
    assert "Traceback" not in log, log[-5000:]
