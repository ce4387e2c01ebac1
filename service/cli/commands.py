"""All commands together. The module of a command is imported when it is used, which halves the time to start."""

from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import version

import click

COMMANDS: Mapping[str, str] = {
    "up": "up:up",
    "demo": "demo:demo",
    "submit": "jobs:submit",
    "watch": "jobs:watch",
    "list": "jobs:list_jobs",
    "results": "results:results",
    "report": "report:report",
    "gate": "jobs:gate",
    "suites": "suites:suites",
    "judge": "judging:judge",
    "agreement": "judging:agreement",
    "cancel": "jobs:cancel",
    "pause": "jobs:pause",
    "resume": "jobs:resume",
    "retry": "jobs:retry",
    "redeliver": "jobs:redeliver",
    "serve": "operate:serve",
    "worker": "operate:worker",
    "db": "db:db",
    "jobs": "all_jobs:jobs",
    "keys": "keys:keys",
    "quotas": "quotas:quotas",
    "secrets": "secrets:secrets",
}
"""Where each command is, as module:name."""


class Commands(click.Group):
    """The group that imports late."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the help page."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(f"service.cli.{module}"), name)
        return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(version("proofhouse"), prog_name="proofhouse")
def cli() -> None:
    """Test language models for unsafe behaviour before release.

    Exit codes: 0 done (the gate passed), 1 the gate failed, 2 wrong usage, 3 not authenticated or not allowed,
    4 service or target out of reach or the job did not complete, 5 the gate is inconclusive. Anything else is none of
    these: 70 a bug in Proofhouse, 130 interrupted.
    """
