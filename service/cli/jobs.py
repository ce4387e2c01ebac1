"""Commands on jobs: submit, watch, cancel, list, gate."""

from typing import Any

import click

from service.cli.client import Json, job_path
from service.cli.exits import CommandError, Exit
from service.cli.options import client, job_argument, json_option, print_json
from service.cli.outcome import exit_code, gate_lines, summary
from service.cli.paging import pages
from service.cli.progress import JsonLines
from service.cli.reading import read_json
from service.cli.tables import jobs_table, show
from service.cli.watching import ENDED, follow, follow_shown

LABEL = "Jobs with this label, as name:value."


@click.command()
@click.argument("spec", type=click.File("rb"), metavar="SPEC.json|-")
@click.option("--wait", is_flag=True, help="Watch it to its end; exit with its gate's code.")
@click.option("--idempotency-key", help="Makes it safe to send the same job again.")
@json_option
def submit(spec: Any, wait: bool, idempotency_key: str | None, as_json: bool) -> int:
    """Submit a test job; `-` reads it from standard input. Prints the job's id."""
    service = client()
    headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
    job = service.post("/v1/jobs", read_json(spec, "job"), headers)
    if not wait:
        print_json(job) if as_json else click.echo(job["id"])
        return Exit.DONE
    click.echo(f"Submitted {job['id']}", err=True)
    ended = follow_shown(service, job["id"])
    print_json(ended) if as_json else click.echo(summary(ended))
    return exit_code(ended)


@click.command()
@job_argument
@json_option
def watch(job_id: str, as_json: bool) -> int:
    """Watch a job to its end; exit as `submit --wait` does. --json prints the job whenever it has changed."""
    if as_json:
        return exit_code(follow(client(), job_id, JsonLines()))
    ended = follow_shown(client(), job_id)
    click.echo(summary(ended))
    return exit_code(ended)


@click.command()
@job_argument
@json_option
def cancel(job_id: str, as_json: bool) -> None:
    """Stop a job for good; the results it has stay."""
    _ask(job_id, "cancel", as_json)


@click.command()
@job_argument
@json_option
def pause(job_id: str, as_json: bool) -> None:
    """Send no further calls for a job until it is resumed."""
    _ask(job_id, "pause", as_json)


@click.command()
@job_argument
@click.option("--max-requests", type=click.IntRange(1), help="A new limit in place of all that it had.")
@click.option("--max-total-tokens", type=click.IntRange(1), help="Likewise.")
@click.option("--max-duration-seconds", type=click.IntRange(1), help="Likewise.")
@json_option
def resume(job_id: str, as_json: bool, **limits: int | None) -> None:
    """Go on with a paused job, under other limits if any are given."""
    given = {name: limit for name, limit in limits.items() if limit is not None}
    _ask(job_id, "resume", as_json, {"limits": given} if given else None)


@click.command()
@job_argument
@json_option
def retry(job_id: str, as_json: bool) -> None:
    """Run again what ended in an error in a completed job, and nothing else."""
    _ask(job_id, "retry", as_json)


@click.command()
@job_argument
@json_option
def redeliver(job_id: str, as_json: bool) -> None:
    """Tell a job's webhook of its end once more."""
    _ask(job_id, "redeliver", as_json)


@click.command("list")
@click.option("--status", help="Jobs in this status.")
@click.option("--model", help="Jobs on this model.")
@click.option("--label", help=LABEL)
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True)
@json_option
def list_jobs(status: str | None, model: str | None, label: str | None, limit: int, as_json: bool) -> None:
    """List jobs, newest first; --json prints one a line."""
    found = pages(client(), "/v1/jobs", limit, status=status, model=model, label=label)
    if as_json:
        for job in found:
            print_json(job)
    else:
        show(jobs_table(found))


@click.command()
@job_argument
@json_option
def gate(job_id: str, as_json: bool) -> int:
    """Say whether a job kept to its thresholds: exit 0 passed, 1 failed, 5 inconclusive or not ended yet."""
    job = client().get(job_path(job_id))
    if as_json:
        print_json({"job_id": job["id"], "status": job["status"], "gate": job["gate"]})
    else:
        click.echo("\n".join((summary(job), *gate_lines(job))))
    if job["status"] not in ENDED:
        return Exit.GATE_INCONCLUSIVE
    if job["status"] == "completed" and job["gate"]["status"] == "none":
        raise CommandError("The job was submitted without thresholds, so it has no gate.", Exit.USAGE)
    return exit_code(job)


def _ask(job_id: str, verb: str, as_json: bool, body: Json | None = None) -> None:
    job = client().post(job_path(job_id, verb), body)
    print_json(job) if as_json else click.echo(summary(job))
