"""What several client commands share."""

import json
from typing import Any

import click

from service.cli.client import Client
from service.cli.environment import api_key, service_url
from service.cli.exits import CommandError, Exit

json_option = click.option("--json", "as_json", is_flag=True, help="JSON for scripts.")
job_argument = click.argument("job_id", metavar="JOB")


def client() -> Client:
    """The service that PROOFHOUSE_URL names, for as long as the command runs.

    Raises:
        CommandError: there is no key for it.
    """
    url = service_url()
    key = api_key(url)
    if key is None:
        raise CommandError(
            f"No key for {url}: set PROOFHOUSE_API_KEY, or run this where `proofhouse up` keeps its folder "
            "(PROOFHOUSE_DATA_DIR).",
            Exit.AUTHENTICATION,
        )
    if not (key.isascii() and key.isprintable()):
        raise CommandError("PROOFHOUSE_API_KEY holds characters that no key has.", Exit.AUTHENTICATION)
    made = Client(url, key)
    click.get_current_context().call_on_close(made.close)
    return made


def print_json(document: Any) -> None:
    """One line of JSON in ASCII, so that no text in it can act on a terminal."""
    click.echo(json.dumps(document))
