"""Waiting for a database that is away for a while (restarting, out of reach, its disk full) instead of failing."""

import functools
import logging
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from sqlalchemy.exc import InterfaceError, OperationalError

SECONDS = 120
"""How long workers wait for the database before they give up what they hold."""

P = ParamSpec("P")
T = TypeVar("T")

logger = logging.getLogger(__name__)


def patient(work: Callable[P, T]) -> Callable[P, T]:
    """Do a piece of database work again until the database takes it.

    For work that may be done twice: when a commit's answer is lost, it has been done and will be done again. Never for
    a request that a person waits for.

    Raises:
        sqlalchemy.exc.OperationalError: the database has been away for too long.
    """

    @functools.wraps(work)
    def insistent(*args: P.args, **kwargs: P.kwargs) -> T:
        deadline, wait = time.monotonic() + SECONDS, 0.1
        while True:
            try:
                return work(*args, **kwargs)
            except (OperationalError, InterfaceError) as error:
                if time.monotonic() + wait > deadline:
                    raise
                logger.warning("the database is away, trying again: %s", str(error.orig).strip())
            time.sleep(wait)
            wait = min(2.0, 2 * wait)

    return insistent
