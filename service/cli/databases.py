"""The database, for the commands that work on it directly."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from service.cli.environment import DataFolder, given
from service.cli.exits import CommandError, Exit
from service.settings import SettingsError
from service.store.session import Store


def sqlite_url(file: Path) -> str:
    """A SQLite file as an SQLAlchemy URL, whatever characters its path has."""
    return URL.create("sqlite", database=str(file.absolute())).render_as_string(hide_password=False)


def database_url() -> str:
    """PROOFHOUSE_DATABASE_URL, or else the database of `proofhouse up` in this folder.

    Raises:
        SettingsError: neither is there.
    """
    folder = DataFolder.here()
    if url := given("DATABASE_URL"):
        return url
    if folder.database.exists():
        return sqlite_url(folder.database)
    raise SettingsError(f"PROOFHOUSE_DATABASE_URL is not set, and {folder.path} holds no database of `proofhouse up`.")


@contextmanager
def opened(url: str) -> Iterator[Store]:
    """The store at that URL, whose statements may take as long as they need.

    Raises:
        CommandError: it can't be used; the message says why.
    """
    try:
        store = Store(url, answer_seconds=None)
        try:
            yield store
        finally:
            store.close()
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).strip()
        raise CommandError(f"The database could not be used: {reason}", Exit.INFRASTRUCTURE) from error
