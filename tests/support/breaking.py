"""Commits that fail, or that succeed without the client hearing of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

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
