"""A real model, tested for real, as the demo does it."""

import json
import signal
import subprocess
from pathlib import Path

import psutil

from service.localmodel import MODEL
from tests.e2e.stack import command, environment
from tests.support.stack import still_running


def demo(folder: Path, cases: int) -> "subprocess.Popen[str]":
    return subprocess.Popen(  # noqa: S603 - our own command
        command("demo", "--cases", str(cases)),
        env=environment(TMPDIR=str(folder)),
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_demo_runs_a_job_on_the_local_model(tmp_path: Path) -> None:
    process = demo(tmp_path, 2)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    report = json.loads((tmp_path / ".proofhouse" / "demo" / "report.json").read_text())
    assert report["target"]["options"]["model"] == MODEL
    assert report["totals"]["done"] == 2
    assert report["totals"]["errors"] == 0
    assert report["usage"]["target"]["completion_tokens"] > 0
    assert "+ 0 errors = 2 of 2 results" in out
    assert [path.name for path in tmp_path.iterdir()] == [".proofhouse"]


def test_interrupted_the_demo_cleans_up(tmp_path: Path) -> None:
    process = demo(tmp_path, 100)
    assert process.stdout
    assert any(line.startswith("Proofhouse is ready") for line in process.stdout)
    family = psutil.Process(process.pid).children(recursive=True)
    assert len(family) > 5
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=120)
    assert process.returncode == 130
    assert not still_running(family, 1)
    assert not list(tmp_path.iterdir())
