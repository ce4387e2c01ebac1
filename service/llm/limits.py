"""How many calls to one model may be under way."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol


class Limiter(Protocol):
    """Admits calls to one model. A slot is held for exactly one HTTP request."""

    def slot(self) -> AbstractAsyncContextManager[None]:
        """Wait for a free slot and hold it."""
        ...


class LocalLimiter:
    """At most `capacity` calls at once within this process; the capacity may change at any time."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.in_use = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Wait for a free slot, first come first served, and hold it."""
        await self._acquire()
        try:
            yield
        finally:
            self.in_use -= 1
            self._admit()

    def resize(self, capacity: int) -> None:
        """Change the capacity. Calls under way are left alone: a smaller one takes effect as they end."""
        self.capacity = capacity
        self._admit()

    async def _acquire(self) -> None:
        if self.in_use < self.capacity and not self._waiting:
            self.in_use += 1
            return
        admitted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(admitted)
        try:
            await admitted
        except asyncio.CancelledError:
            if admitted.done() and not admitted.cancelled():  # admitted and cancelled at once: pass the slot on
                self.in_use -= 1
                self._admit()
            raise

    def _admit(self) -> None:
        while self._waiting and self.in_use < self.capacity:
            admitted = self._waiting.popleft()
            if not admitted.done():
                self.in_use += 1
                admitted.set_result(None)
