"""Database and Redis for who looks whether they are there, and waits neither for long nor behind requests."""

from collections.abc import Iterator
from contextlib import contextmanager

from service.api.context import settings
from service.queue import TaskQueue, connect
from service.store.session import Store

ANSWER_SECONDS = 2
"""For each of the two, and each time that it is asked. A scrape may take 10 seconds, a probe fewer."""


@contextmanager
def connected() -> Iterator[tuple[Store, TaskQueue]]:
    """Connections of their own, closed behind the block; nothing is opened before it is used."""
    store = Store(settings().database_url, answer_seconds=ANSWER_SECONDS)
    redis = connect(settings().redis_url, answer_seconds=ANSWER_SECONDS, retries=0)
    try:
        yield store, TaskQueue(redis, settings().queue)
    finally:
        store.close()
        redis.close()
