"""The database of a deployment: bring it up to date, copy it."""

import sqlite3
from pathlib import Path

import click

from service.cli.databases import database_url, opened
from service.cli.exits import CommandError, Exit
from service.store.backup import backup
from service.store.migrate import upgrade
from service.store.session import Store


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
