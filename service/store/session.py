"""The database: engine, transactions and clock, alike on SQLite and PostgreSQL."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from math import ceil
from typing import Any, cast

from sqlalchemy import Connection, CursorResult, Delete, Engine, Table, Update, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import Float

from service.store import answering

BUSY_SECONDS = 30
"""How long a SQLite writer waits for another one."""
CONNECT_SECONDS, ANSWER_SECONDS = 5, 30
"""How long a PostgreSQL server may take for a connection, and for the answer to any one statement."""


class database_now(FunctionElement[float]):  # noqa: N801 - reads as the SQL function it is
    """Seconds since the epoch by the database's own clock, so that leases do not depend on the workers' clocks."""

    type = Float()
    inherit_cache = True


@compiles(database_now, "sqlite")
def _sqlite_now(_element: database_now, _compiler: SQLCompiler, **_options: Any) -> str:
    return "(julianday('now') - 2440587.5) * 86400.0"


@compiles(database_now, "postgresql")
def _postgresql_now(_element: database_now, _compiler: SQLCompiler, **_options: Any) -> str:
    return "extract(epoch from clock_timestamp())"


def changed(session: Session, statement: Update | Delete) -> int:
    """Run a conditional UPDATE or DELETE and say how many rows it changed: the compare-and-set of this service."""
    result = session.execute(statement.execution_options(synchronize_session=False))
    return cast("CursorResult[Any]", result).rowcount


def insert_into(session: Session, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that can say what to do on a conflict, which each dialect spells for itself."""
    return sqlite.insert(table) if session.get_bind().dialect.name == "sqlite" else postgresql.insert(table)


class Store:
    """The way to the database. Cheap to make; connections are opened on first use, so make it after the fork.

    A PostgreSQL that doesn't answer within `answer_seconds` is out of reach; None waits for as long as it takes.
    """

    def __init__(self, url: str, *, answer_seconds: float | None = ANSWER_SECONDS) -> None:
        self.url: URL = make_url(url)
        self.engine = _sqlite_engine(self.url) if self.is_sqlite else _server_engine(self.url, answer_seconds)
        self._writer = self.engine.execution_options(immediate=True)

    @property
    def is_sqlite(self) -> bool:
        """Whether this is the embedded database."""
        return self.url.get_backend_name() == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session for reading only."""
        with Session(self.engine) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session in one transaction: committed at the end of the block, rolled back if it raises.

        On SQLite the transaction is a writer from its first statement, so that it waits for its turn at the start
        and cannot fail half-way for having read before it wrote.
        """
        with Session(self._writer) as session, session.begin():
            yield session

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def _server_engine(url: URL, answer_seconds: float | None) -> Engine:
    times = {"connect_timeout": ceil(min(CONNECT_SECONDS, answer_seconds or CONNECT_SECONDS)), **answering.LOST}
    args, options = url.get_dialect()().create_connect_args(url)
    return create_engine(
        url,
        creator=partial(answering.connect, answer_seconds, *args, **{**times, **options}),
        pool_pre_ping=True,
        pool_size=16,
        max_overflow=16,
        hide_parameters=True,  # prompts, answers and sealed secrets have no place in logs
    )


def _sqlite_engine(url: URL) -> Engine:
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS}, hide_parameters=True)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # sqlite3 begins nothing of itself; see _begin_sqlite
    cursor = connection.cursor()
    _keep_write_ahead_log(cursor)
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _keep_write_ahead_log(cursor: DBAPICursor) -> None:
    """Switch a new file to WAL mode, which it keeps; SQLite does not wait itself for others who are at that too."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY  # the rest of it says of what kind
            if not busy or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    mode = "IMMEDIATE" if connection.get_execution_options().get("immediate") else "DEFERRED"
    connection.exec_driver_sql(f"BEGIN {mode}")
