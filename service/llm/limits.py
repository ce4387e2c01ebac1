"""How many calls to one model may be under way, and how fast they may follow each other."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from redis.exceptions import RedisError

from service.domain.completions import ErrorCode
from service.llm.failures import CallFailedError
from service.llm.pace import Pace

BACK_OFF = 0.7
"""What is left of the concurrency after a 429."""
EPISODE_SECONDS = 1.0
"""Further 429s within this time, or within Retry-After if that is longer, belong to the same episode."""
LONGEST_EPISODE_SECONDS = 60.0


@dataclass(slots=True)
class Permit:
    """Leave to send one request. The holder notes how many tokens it took, if it learns that."""

    tokens: int | None = None


class Limiter(Protocol):
    """Admits calls to one model. A slot is held for exactly one HTTP request."""

    def slot(self, tokens: int = 0) -> AbstractAsyncContextManager[Permit]:
        """Wait for leave to send a request of about so many tokens, and hold the slot while it is under way.

        An exception that passes through tells the limiter how the request ended.
        """
        ...


class LocalLimiter:
    """At most `capacity` calls at once within this process, and fewer while the server asks for that.

    The capacity may change at any time. Beneath it the concurrency adapts: each episode of 429s takes it down by a
    third, and stops new calls for as long as the server's Retry-After says; each full round of answers takes it up by
    one (additive increase, multiplicative decrease).
    """

    def __init__(self, capacity: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.capacity = capacity
        self.in_use = 0
        self._clock = clock
        self._window = float("inf")
        self._episode_ends = 0.0
        self._closed_until = 0.0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @asynccontextmanager
    async def slot(self, tokens: int = 0) -> AsyncIterator[Permit]:  # noqa: ARG002 - only a pace counts tokens
        """Wait for a free slot, first come first served, and hold it."""
        await self._acquire()
        try:
            yield Permit()
        except CallFailedError as failed:
            self._learn(failed)
            raise
        else:
            if self._clock() >= self._episode_ends:
                self._window += 1 / max(1.0, self._window)
        finally:
            self.in_use -= 1
            self._admit()

    def resize(self, capacity: int) -> None:
        """Change the capacity. Calls under way are left alone: a smaller one takes effect as they end."""
        self.capacity = capacity
        self._admit()

    @property
    def waiting(self) -> int:
        """How many calls wait for leave to send their request."""
        return len(self._waiting)

    @property
    def allowed(self) -> int:
        """How many calls may be under way just now."""
        if self._clock() < self._closed_until:
            return 0
        return min(self.capacity, max(1, int(min(self._window, self.capacity))))

    def _learn(self, failed: CallFailedError) -> None:
        now = self._clock()
        if failed.problem.code is not ErrorCode.RATE_LIMITED:
            return
        pause = min(failed.retry_after or 0.0, LONGEST_EPISODE_SECONDS)
        if pause and now + pause > self._closed_until:
            self._closed_until = now + pause
            asyncio.get_running_loop().call_later(pause, self._admit)
        if now >= self._episode_ends:
            self._window = max(1.0, min(self._window, self.in_use) * BACK_OFF)
            self._episode_ends = now + max(pause, EPISODE_SECONDS)

    async def _acquire(self) -> None:
        if self.in_use < self.allowed and not self._waiting:
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
        while self._waiting and self.in_use < self.allowed:
            admitted = self._waiting.popleft()
            if not admitted.done():
                self.in_use += 1
                admitted.set_result(None)


class PacedLimiter(LocalLimiter):
    """A limiter that also keeps to requests and tokens a minute, shared with all workers."""

    def __init__(self, *, requests: Pace | None, tokens: Pace | None) -> None:
        super().__init__(0)
        self._requests = requests
        self._tokens = tokens
        # One call at a time reserves and waits: what the others had reserved, perhaps an hour's worth, would be lost
        # with them when they are cut off, and everybody else would wait for it.
        self._turn = asyncio.Lock()
        self._pacing = 0
        # Of its own: while Redis hangs, waiting calls must not take up the threads that renew leases and store results.
        self._thread = ThreadPoolExecutor(1, "pace")

    @asynccontextmanager
    async def slot(self, tokens: int = 0) -> AsyncIterator[Permit]:
        """Wait for a free slot, then for the pace. Tokens are reserved as estimated and settled as used."""
        async with super().slot() as permit:
            await self._keep_to_both(tokens)
            try:
                yield permit
            finally:
                if self._tokens and permit.tokens is not None:
                    # Not waited for: an answer must not depend on Redis. Should it be away, the estimate stands.
                    self._thread.submit(self._tokens.reserve, permit.tokens - tokens)

    @property
    def waiting(self) -> int:
        """How many calls wait for leave to send their request: for a slot, or for the pace."""
        return super().waiting + self._pacing

    async def _keep_to_both(self, tokens: int) -> None:
        if self._requests is None and self._tokens is None:
            return
        self._pacing += 1
        try:
            async with self._turn:
                while True:
                    await self._keep_to(self._requests, 1)
                    await self._keep_to(self._tokens, tokens)
                    closed = self._closed_until - self._clock()
                    if closed <= 0:
                        return
                    # The server has asked for a pause since: by its end, this place in the pace is over.
                    if self._tokens:
                        self._thread.submit(self._tokens.reserve, -tokens)
                    await asyncio.sleep(closed)
        finally:
            self._pacing -= 1

    async def _keep_to(self, pace: Pace | None, units: int) -> None:
        if pace:
            await asyncio.sleep(await self._reserve(pace, units))

    async def _reserve(self, pace: Pace, units: int) -> float:
        """Without Redis nobody knows what the others send, so nothing is sent until it is back."""
        while True:
            try:
                return await asyncio.get_running_loop().run_in_executor(self._thread, pace.reserve, units)
            except RedisError:
                await asyncio.sleep(1)
