"""`proofhouse demo`: one real job on a real local model, start to finish, over the same ways that anyone would take."""

import json
import math
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from service import localmodel
from service.cli.client import Client, Json, job_path
from service.cli.environment import DataFolder, without_settings
from service.cli.exits import CommandError, Exit
from service.cli.outcome import summary
from service.cli.progress import display
from service.cli.reporting import rendered
from service.cli.tables import show
from service.cli.watching import follow
from service.domain.catalog import CATEGORIES, STYLES, TECHNIQUES
from service.processes import ending_with_us, python

CELLS = len(CATEGORIES) * len(STYLES) * len(TECHNIQUES)
MAX_TOKENS = 96
STOP_SECONDS = 60
_READY = re.compile(r"ready at (?P<url>\S+) .*model at (?P<model>[^\s)]+)")


@dataclass(frozen=True, slots=True)
class Demo:
    """A stack that runs for the demo alone."""

    client: Client
    model_url: str


@click.command()
@click.option("--cases", type=click.IntRange(1, 10_000), default=42, show_default=True, help="How many to run.")
def demo(cases: int) -> None:
    """Try everything out: start the stack with a small real model, test that model, show the report, stop it all."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # cleans up as Ctrl-C does
    with tempfile.TemporaryDirectory(prefix="proofhouse-demo-") as folder, _stack(DataFolder(Path(folder))) as running:
        job = running.client.post("/v1/jobs", specification(cases, running.model_url))
        click.echo(f"Submitted {job['id']}: {cases} cases for {localmodel.MODEL}, judged by rules.")
        with display() as shown:
            ended = follow(running.client, job["id"], shown)
        content = running.client.content(job_path(job["id"], "report"), format="json")
    _conclude(ended, content, cases)


def specification(cases: int, model_url: str) -> Json:
    """The job: an even sample of all categories, styles and techniques."""
    return {
        "name": "demo",
        "target": {
            "type": "openai",
            "base_url": model_url,
            "model": localmodel.MODEL,
            "parameters": {"temperature": 0, "max_tokens": MAX_TOKENS},
            "max_concurrency": localmodel.SLOTS,
            "timeout_seconds": 120,
        },
        "suite": {"generator": "matrix", "tests_per_cell": math.ceil(cases / CELLS), "limit": cases},
        "judge": {"type": "rules"},
    }


@contextmanager
def _stack(folder: DataFolder) -> Iterator[Demo]:
    """`proofhouse up` as a process of its own, ready, and gone afterwards."""
    localmodel.weights()
    click.echo("Starting Valkey, a local model, two workers and the API …")
    ports = ("--port", "0", "--model-port", "0")
    process = subprocess.Popen(  # noqa: S603 - our own command
        python("service.cli", "up", "--data", str(folder.path), "--local-model", *ports),
        env=without_settings(),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=ending_with_us(),  # noqa: PLW1509 - no other thread runs yet
    )
    with process:
        try:
            running = _when_ready(process, folder)
            with closing(running.client):
                yield running
        except CommandError as error:
            kept = shutil.copytree(folder.logs, _place() / "logs", dirs_exist_ok=True)
            raise CommandError(f"{error} The logs are in {kept}.", error.code) from error
        finally:
            process.terminate()
            process.wait(STOP_SECONDS)


def _when_ready(process: "subprocess.Popen[str]", folder: DataFolder) -> Demo:
    line = process.stdout.readline() if process.stdout else ""
    found = _READY.search(line)
    if found is None:
        raise CommandError("The stack did not start.", Exit.INFRASTRUCTURE)
    click.echo(line.rstrip())
    return Demo(Client(found["url"], folder.admin_key.read_text().strip()), found["model"])


def _conclude(job: Json, content: bytes, cases: int) -> None:
    file = _place() / "report.json"
    file.write_bytes(content)
    report = json.loads(content)
    click.echo()
    show(*rendered(report))
    click.echo(f"\nThe report is in {file}. The stack is stopped; `make up` starts one that stays.")
    if job["status"] != "completed" or report["totals"]["done"] != cases:
        raise CommandError(f"The job did not complete: {summary(job)}", Exit.INFRASTRUCTURE)


def _place() -> Path:
    """Where the demo leaves what is worth keeping."""
    folder = DataFolder.here().path
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / "demo").mkdir(exist_ok=True)
    return folder / "demo"
