"""Commits that fail, or that succeed without the client hearing of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from service.pipeline.services import Services


@contextmanager
def breaking(services: Services, moment: int, *, committed: bool) -> Iterator[list[int]]:
    """Let the `moment`-th commit from now on fail, before or after the database has `committed`.

    Gives the list of the moments at which one has failed so far.
    """
    dialect: Any = services.store.engine.dialect
    commit, numbers, broken = dialect.do_commit, count(1), list[int]()

    def break_off(connection: Any) -> None:
        number = next(numbers)
        if number != moment or committed:
            commit(connection)
        if number == moment:
            broken.append(number)
            raise dialect.loaded_dbapi.OperationalError("server closed the connection unexpectedly")

    dialect.do_commit = break_off
    try:
        yield broken
    finally:
        dialect.do_commit = commit


@contextmanager
def interrupting(services: Services, moment: int) -> Iterator[list[str]]:
    """Let the `moment`-th statement from now on fail before it is carried out. Gives those that have."""
    engine, numbers, broken = services.store.engine, count(1), list[str]()

    def interrupt(connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if next(numbers) == moment:
            broken.append(statement)
            reason = connection.dialect.loaded_dbapi.OperationalError("could not connect to server")
            raise OperationalError(statement, None, reason)

    event.listen(engine, "before_cursor_execute", interrupt)
    try:
        yield broken
    finally:
        event.remove(engine, "before_cursor_execute", interrupt)
