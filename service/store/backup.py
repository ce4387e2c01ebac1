"""A copy of the embedded database, made while everybody goes on working with it."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import mkstemp
from typing import cast

from service.store.session import Store


def backup(store: Store, file: Path) -> None:
    """Copy a SQLite database as it is at this moment into a new file, which is its owner's alone.

    The file is there complete or not at all. Writers are not held up meanwhile.

    Raises:
        FileExistsError: there is such a file already.
        OSError: it can't be written.
        sqlite3.Error: the database can't be read, or the disk is full.
    """
    if file.exists():
        raise FileExistsError(f"{file} is there already; a backup never takes another one's place.")
    descriptor, name = mkstemp(dir=file.parent, prefix=f"{file.name}.", suffix=".part")  # with mode 0600
    os.close(descriptor)
    part = Path(name)
    try:
        with closing(sqlite3.connect(part)) as copy:
            _copy(store, copy)
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


def _copy(store: Store, copy: sqlite3.Connection) -> None:
    """All in one step: one that is interrupted begins again whenever somebody writes."""
    with closing(store.engine.raw_connection()) as connection:
        cast("sqlite3.Connection", connection.driver_connection).backup(copy)
    # A database in WAL mode would leave two more files beside it wherever it is only looked at.
    copy.execute("PRAGMA journal_mode=DELETE")
