"""`proofhouse suites`: suites made by a generator or uploaded, looked at and deleted."""

import json
from itertools import islice
from pathlib import Path
from typing import Any

import click

from service.cli.client import Client, Json, suite_path
from service.cli.exits import CommandError, Exit
from service.cli.options import client, json_option, print_json
from service.cli.paging import pages
from service.cli.reading import read_json
from service.cli.suite_tables import case_block, cases_table, details, suite_summary, suites_table, without_content
from service.cli.tables import show
from service.cli.text import plain
from service.cli.watching import follow_at

FORMATS = {"csv": "text/csv", "ndjson": "application/x-ndjson"}
SUFFIXES = {".csv": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson"}
MADE = frozenset({"ready", "failed"})
ROWS = 100

suite_argument = click.argument("suite_id", metavar="SUITE")


@click.group()
def suites() -> None:
    """Make, upload, look at and delete suites."""


@suites.command()
@click.argument("spec", type=click.File("rb"), metavar="SPEC.json|-")
@click.option("--wait", is_flag=True, help="Wait until it is made; exit 4 if it can't be.")
@click.option("--idempotency-key", help="Makes it safe to send the same suite again.")
@json_option
def create(spec: Any, wait: bool, idempotency_key: str | None, as_json: bool) -> int:
    """Have a suite made by a generator, or of the cases given. Prints its id.

    The file holds what a job has as its `suite`, and a `name` if you like.
    """
    service = client()
    headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
    suite = service.post("/v1/suites", read_json(spec, "suite"), headers)
    if not wait:
        print_json(suite) if as_json else click.echo(suite["id"])
        return Exit.DONE
    click.echo(f"Making {suite['id']}", err=True)
    made = _followed(service, suite["id"])
    print_json(made) if as_json else click.echo(suite_summary(made))
    return Exit.DONE if made["status"] == "ready" else Exit.INFRASTRUCTURE


@suites.command()
@click.argument("file", type=click.File("rb"), metavar="FILE|-")
@click.option("--format", "chosen", type=click.Choice(list(FORMATS)), help="If the file's name does not say it.")
@click.option("--name", help="What to call the suite.")
@click.option("--on-invalid", type=click.Choice(["reject", "skip"]), help="Rows that hold no case.  [default: reject]")
@click.option("--drop-duplicates", is_flag=True, help="Leave out rows whose prompt an earlier one has.")
@click.option(
    "--map",
    "columns",
    multiple=True,
    metavar="FEATURE:COLUMN",
    help="Where the columns have other names, such as prompt:question; may be repeated.",
)
@json_option
def upload(  # noqa: PLR0917 - click passes them by name
    file: Any,
    chosen: str | None,
    name: str | None,
    on_invalid: str | None,
    drop_duplicates: bool,
    columns: tuple[str, ...],
    as_json: bool,
) -> None:
    """Make a suite of the rows of a CSV file or of JSON lines. Prints its id."""
    format_ = chosen or SUFFIXES.get(Path(file.name).suffix.lower())
    if format_ is None:
        raise CommandError("Its name does not tell whether it is CSV or JSON lines: say --format.", Exit.USAGE)
    suite = client().upload(
        "/v1/suites",
        file,
        FORMATS[format_],
        name=name,
        on_invalid=on_invalid,
        drop_duplicates="true" if drop_duplicates else None,
        columns=",".join(columns) or None,
    )
    print_json(suite) if as_json else click.echo(suite["id"])


@suites.command("list")
@click.option("--status", help="Suites in this status.")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True)
@json_option
def list_suites(status: str | None, limit: int, as_json: bool) -> None:
    """List suites, newest first; --json prints one a line."""
    found = pages(client(), "/v1/suites", limit, status=status)
    if as_json:
        for suite in found:
            print_json(suite)
    else:
        show(suites_table(found))


@suites.command("show")
@suite_argument
@json_option
def show_suite(suite_id: str, as_json: bool) -> None:
    """Show a suite: what made it, what that cost, and which cells lack cases."""
    suite = client().get(suite_path(suite_id))
    print_json(suite) if as_json else show(*details(suite))


@suites.command()
@suite_argument
@click.option("--limit", type=click.IntRange(1), help=f"Most to show.  [default: {ROWS}; all with --json]")
@click.option("--content", is_flag=True, help="Show prompts and what led to them. They can be harmful to read.")
@json_option
def cases(suite_id: str, limit: int | None, content: bool, as_json: bool) -> None:
    """List the cases of a suite that is ready; --json streams one a line. No prompt is shown without --content."""
    rows = client().stream(suite_path(suite_id, "cases"))
    if as_json:
        for case in islice(rows, limit):
            click.echo(json.dumps(case if content else without_content(case)))
        return
    shown = islice(rows, limit or ROWS)
    if content:
        for case in shown:
            click.echo(case_block(case))
    else:
        show(cases_table(shown))
    if next(rows, None):
        click.echo(f"These are the first {limit or ROWS}; see more with --limit.", err=True)


@suites.command()
@suite_argument
def delete(suite_id: str) -> None:
    """Delete a suite that no job uses; one that is being made is made no further."""
    client().delete(suite_path(suite_id))


class _Quiet:
    """Says nothing of a suite that is being made: how far it is nobody knows."""

    def show(self, job: Json) -> None:
        """Nothing."""

    def note(self, message: str) -> None:
        """Say it on standard error."""
        click.echo(plain(message), err=True)


def _followed(service: Client, suite_id: str) -> Json:
    try:
        return follow_at(service, suite_path(suite_id), _Quiet(), resting=MADE)
    except KeyboardInterrupt as interrupt:
        message = f"\nIt is made all the same. Look at it with: proofhouse suites show {suite_id}"
        raise CommandError(message, Exit.INTERRUPTED) from interrupt
