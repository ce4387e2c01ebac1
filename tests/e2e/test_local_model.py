"""A real model, tested for real, as the demo does it; and as the writer of a suite."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from service.cli.ports import free_port
from service.cli.servers import answers
from service.domain.jobs import SuiteStatus
from service.domain.specs import SuiteSpec
from service.generators.base import generators
from service.localmodel import MODEL
from service.pipeline.plan import make_suite
from service.pipeline.services import Services
from service.pipeline.submit import submit_suite
from service.store import cases, suites
from tests.e2e.stack import command, environment
from tests.support.specs import plugin
from tests.support.stack import still_running, wait_for
from tests.support.thorough import in_depth

ASKED = 2
ONE_THREAD = {"OMP_THREAD_LIMIT": "1"}
"""For the model's server: beside other tests, its threads would mostly spin while they wait for each other."""


def demo(folder: Path, cases: int) -> "subprocess.Popen[str]":
    return subprocess.Popen(  # noqa: S603 - our own command
        command("demo", "--cases", str(cases)),
        env=environment(TMPDIR=str(folder), **ONE_THREAD),
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


@in_depth
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


@pytest.fixture
def local_model() -> Iterator[str]:
    """Where the model answers, started without the stack around it."""
    port = free_port("127.0.0.1", 0, "--port")
    served = [sys.executable, "-m", "service.localmodel", "--port", str(port)]
    process = subprocess.Popen(  # noqa: S603 - our own
        served, env=environment(**ONE_THREAD), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_for(lambda: answers(f"http://127.0.0.1:{port}/health"), 60, "the model")
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait(10)


@in_depth
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_suite_written_by_the_local_model_ends_in_numbers_that_add_up(services: Services, local_model: str) -> None:
    """It writes nonsense, and more or less of that may be turned away: nothing here holds it to what it writes."""
    cheap = {"variant": "rag", "examples_per_call": 1, "max_tokens": 60, "max_concurrency": 1}  # its prefix is cached
    options = {
        **cheap,
        "base_url": local_model,
        "model": MODEL,
        "categories": ["violence"],
        "styles": ["question"],
        "techniques": ["logical_appeal", "evidence_based"],
        "timeout_seconds": 120,
    }
    asked = submit_suite(services, SuiteSpec(generator=plugin(generators, "llm", **options)), None, tenant="acme")
    assert asked.size == ASKED
    make_suite(services, asked.id)
    with services.store.read() as session:
        made = suites.get(session, "acme", asked.id)
        written = cases.page(session, asked.id, after=-1, limit=10).rows
    assert made.status is (SuiteStatus.READY if written else SuiteStatus.FAILED)
    assert len(written) + sum(cell["missing"] for cell in made.effort.shortfall) == ASKED
    assert all(case.prompt.strip() and case.provenance and case.provenance["model"] == MODEL for case in written)
    effort = made.effort
    assert effort.failed == 0
    assert effort.usage.requests >= ASKED
    assert effort.usage.completion_tokens > 0
    told = effort.refused + effort.unreadable + effort.failed + sum(effort.rejected.values())
    assert told or not effort.shortfall, "cells lack cases, and nothing says why"
    assert bool(made.status_reason) == (not written)
