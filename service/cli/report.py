"""`proofhouse report`."""

import json
from pathlib import Path

import click

from service.cli.client import job_path
from service.cli.exits import CommandError, Exit
from service.cli.options import client, job_argument, json_option
from service.cli.reporting import rendered
from service.cli.tables import show

TABLE = "table"


@click.command()
@job_argument
@click.option(
    "--format",
    "chosen",
    help="`table`, or one that the service writes, such as json.  [default: table; json with --output]",
)
@click.option(
    "--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="Write it to this file, not to the screen."
)
@json_option
def report(job_id: str, chosen: str | None, output: Path | None, as_json: bool) -> None:
    """Report on a job: totals and rates with 95% intervals, by category, style and technique."""
    wanted = chosen or ("json" if as_json or output else TABLE)
    if wanted == TABLE and output:
        raise CommandError("A table is for the screen; choose another --format for a file.", Exit.USAGE)
    content = client().content(job_path(job_id, "report"), format="json" if wanted == TABLE else wanted)
    if output:
        output.write_bytes(content)
        click.echo(f"Written to {output}", err=True)
    elif wanted == TABLE:
        show(*rendered(json.loads(content)))
    else:
        click.echo(content.rstrip(b"\n"))
