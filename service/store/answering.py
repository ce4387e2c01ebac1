"""Connections to PostgreSQL that don't wait for ever for an answer.

The server can't be relied on to end what takes too long: one that is frozen or gone says nothing at all. The other way
round it can be relied on: a process that is frozen in the middle of a transaction can't let go of the rows it locked.
"""

import time
from typing import Any

import psycopg
from psycopg.abc import RV, PQGen

LOST = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 25_000}
"""A server's machine that is gone is noticed within about 25 seconds, also by who waits for as long as it takes."""
IDLE_SECONDS = 20
"""A transaction in which nothing is asked for this long is ended by the server. None of ours waits for others."""


class Connection(psycopg.Connection[Any]):
    """Waits for each answer no longer than `answer_seconds`, and is closed if none has come by then."""

    answer_seconds: float | None = None
    """None: for as long as it takes."""

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """As psycopg's, for which every statement comes by here.

        Raises:
            psycopg.OperationalError: there was no answer in time, or the server had ended the transaction by then.
        """
        try:
            return self._wait(gen, interval, timeout)
        except psycopg.errors.IdleInTransactionSessionTimeout as error:
            raise psycopg.OperationalError(str(error)) from error  # which it is, though psycopg calls it internal

    def _wait(self, gen: PQGen[RV], interval: float, timeout: float | None) -> RV:
        if self.answer_seconds is None:
            return super().wait(gen, interval, timeout)
        deadline = time.monotonic() + self.answer_seconds
        try:
            return super().wait(gen, interval, self.answer_seconds)
        except psycopg.OperationalError:
            if time.monotonic() >= deadline:
                self.pgconn.finish()  # what comes later would be taken for the answer to the next statement
            raise


def connect(answer_seconds: float | None, *args: Any, **options: Any) -> Connection:
    """Open one, as psycopg does."""
    connection = Connection.connect(*args, **options)
    connection.answer_seconds = answer_seconds
    connection.autocommit = True
    connection.execute(f"SET idle_in_transaction_session_timeout = {int(1000 * IDLE_SECONDS)}")
    connection.autocommit = False
    return connection
