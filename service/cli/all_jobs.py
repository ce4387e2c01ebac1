"""`proofhouse jobs`: any tenant's jobs, straight in the database, for whoever is on call."""

import json
from collections.abc import Callable
from typing import Any

import click

from service.cli.databases import database_url, opened
from service.cli.exits import CommandError, Exit
from service.cli.noting import note
from service.cli.text import plain
from service.domain.jobs import Job
from service.domain.lifecycle import JobStatus
from service.domain.tallies import total
from service.pipeline import control
from service.pipeline.services import Services
from service.settings import Settings
from service.store import jobs as stored
from service.store import tallies

UNENDED = [status.value for status in JobStatus if not status.is_final]


@click.group()
def jobs() -> None:
    """Find and stop the jobs and judgements of any tenant, on a machine that reaches the database."""


@jobs.command("list")
@click.option("--status", type=click.Choice(UNENDED), help="Those in this status.")
@click.option("--tenant", help="Those of this tenant.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_jobs(status: str | None, tenant: str | None, limit: int, as_json: bool) -> None:
    """List what has not ended, of all tenants, oldest first: whose it is, how far it is, which model it asks."""
    with opened(database_url()) as store, store.read() as session:
        found = stored.unended(session, JobStatus(status) if status else None, tenant, limit)
        counted = tallies.read_by_category(session, [job.id for job in found])
    for job in found:
        shown = _document(job, total(counted.get(job.id, [])).done)
        click.echo(json.dumps(shown) if as_json else plain("  ".join(str(value or "-") for value in _line(shown))))


@jobs.command("cancel")
@click.argument("job_id", metavar="ID")
def cancel_job(job_id: str) -> None:
    """Stop a job or judgement for good; the results that it has stay."""
    _do("cancel", control.cancel, job_id)


@jobs.command("pause")
@click.argument("job_id", metavar="ID")
def pause_job(job_id: str) -> None:
    """Send no further calls for a job or judgement until somebody of its tenant resumes it."""
    _do("pause", control.pause, job_id)


def _do(verb: str, act: Callable[..., Job], job_id: str) -> None:
    """Carry out a verb as if the job's tenant had asked for it, and put it into that tenant's audit log."""
    services = Services.from_settings(Settings.from_env())
    with opened(database_url()) as store:
        with store.read() as session:
            job = stored.load(session, job_id)
        if job is None:
            raise CommandError(
                f"There is no job {job_id}; `proofhouse jobs list` shows what has not ended.", Exit.USAGE
            )
        now = act(services, tenant=job.tenant, job_id=job.id, of=job.completions_of)
        with store.write() as session:
            note(session, job.tenant, f"jobs {verb}", job.id)
    services.close()
    click.echo(plain(f"{now.id} of {now.tenant} is {now.status}."))


def _document(job: Job, done: int) -> dict[str, Any]:
    return {
        "id": job.id,
        "tenant": job.tenant,
        "status": job.status.value,
        "created_at": job.created_at.isoformat(timespec="seconds"),
        "done": done,
        "total": job.total,
        "model": job.target.options.get("model"),
        "base_url": job.target.options.get("base_url"),
        "name": job.name,
    }


def _line(shown: dict[str, Any]) -> tuple[Any, ...]:
    progress = f"{shown['done']}/{shown['total']}"
    what = (shown["model"], shown["base_url"], shown["name"])
    return (shown["id"], shown["tenant"], f"{shown['status']:<10}", shown["created_at"], progress, *what)
