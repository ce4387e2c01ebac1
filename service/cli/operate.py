"""The processes of a deployment, each configured from the environment."""

import os

import click

from service.cli.servers import gunicorn
from service.processes import python
from service.settings import Settings, log_options
from service.store.vault import Vault


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True)
def serve(host: str, port: int) -> None:
    """Serve the API, configured by PROOFHOUSE_* variables."""
    _check_settings()
    command = gunicorn(host, port)
    os.execv(command[0], command)  # noqa: S606 - takes this process's place, so that signals reach it


@click.command()
def worker() -> None:
    """Run one worker, configured by PROOFHOUSE_* variables."""
    _check_settings()
    command = python("workers")
    os.execv(command[0], command)  # noqa: S606 - as above


def _check_settings() -> None:
    """Say what is wrong here, where it is told in a sentence, and not in the process that would trip over it.

    Raises:
        SettingsError: a setting is missing or can't be read.
        VaultError: the secret key is no Fernet key.
    """
    log_options()
    Vault(Settings.from_env().secret_keys)
