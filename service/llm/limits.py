"""How many calls to one model may be under way."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol


class Limiter(Protocol):
    """Admits calls to one model. A slot is held for exactly one HTTP request."""

    def slot(self) -> AbstractAsyncContextManager[None]:
        """Wait for a free slot and hold it."""
        ...


class LocalLimiter:
    """At most `max_concurrency` calls at once within this process."""

    def __init__(self, max_concurrency: int) -> None:
        self._slots = asyncio.Semaphore(max_concurrency)

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Wait for a free slot and hold it."""
        async with self._slots:
            yield
