"""The operator's commands: the processes of a deployment, each configured from the environment, and its database."""

import os
import sqlite3
from pathlib import Path

import click

from service.cli.databases import database_url, opened
from service.cli.exits import CommandError, Exit
from service.cli.servers import gunicorn
from service.processes import python
from service.settings import Settings, log_options
from service.store.backup import backup
from service.store.migrate import upgrade
from service.store.session import Store
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


@click.group()
def db() -> None:
    """Look after the database."""


@db.command("upgrade")
def upgrade_database() -> None:
    """Bring the database to the version that this release needs. Safe to run twice, or in several places at once."""
    with opened(database_url()) as store:
        upgrade(store)
    click.echo("The database is up to date.")


@db.command("backup")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def back_up_database(file: Path) -> None:
    """Copy a SQLite database into a new FILE while it is in use. With PostgreSQL, use pg_dump: see docs/backup.md."""
    with opened(database_url()) as store:
        _check_that_it_can_be_copied(store)
        try:
            backup(store, file)
        except FileExistsError as error:
            raise CommandError(str(error), Exit.USAGE) from error
        except sqlite3.Error as error:
            raise CommandError(f"The database could not be copied: {error}", Exit.INFRASTRUCTURE) from error
    click.echo(f"{file} is a copy of the database. Without the secret key its secrets can't be opened: keep that too.")


def _check_that_it_can_be_copied(store: Store) -> None:
    """SQLite makes a file that is not there, and would make a copy of nothing."""
    if not store.is_sqlite:
        raise CommandError("This is a PostgreSQL database: back it up with pg_dump, see docs/backup.md.", Exit.USAGE)
    if not Path(str(store.url.database)).is_file():
        raise CommandError(f"There is no database {store.url.database}.", Exit.USAGE)


def _check_settings() -> None:
    """Say what is wrong here, where it is told in a sentence, and not in the process that would trip over it.

    Raises:
        SettingsError: a setting is missing or can't be read.
        VaultError: the secret key is no Fernet key.
    """
    log_options()
    Vault(Settings.from_env().secret_keys)
