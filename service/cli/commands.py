"""All commands together."""

from importlib.metadata import version

import click

from service.cli.demo import demo
from service.cli.jobs import cancel, gate, list_jobs, submit, watch
from service.cli.keys import keys
from service.cli.operate import db, serve, worker
from service.cli.report import report
from service.cli.results import results
from service.cli.up import up


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(version("proofhouse"), prog_name="proofhouse")
def cli() -> None:
    """Test language models for unsafe behaviour before release.

    Exit codes: 0 done (the gate passed), 1 the gate failed, 2 wrong usage, 3 not authenticated or not allowed,
    4 service or target out of reach or the job did not complete, 5 the gate is inconclusive. Anything else is none of
    these: 70 a bug in Proofhouse, 130 interrupted.
    """


for command in (up, demo, submit, watch, list_jobs, results, report, gate, cancel, serve, worker, db, keys):
    cli.add_command(command)
