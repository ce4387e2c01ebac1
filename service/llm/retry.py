"""When to try a failed call again."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from service.llm.failures import CallFailedError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Retry:
    """Exponential backoff with full jitter; a server's Retry-After goes before it.

    The wait before attempt n+1 is drawn evenly from 0 to `base * 2**(n-1)` seconds, at most `cap`. When the server
    names a time, the wait is that time, at most `retry_after_cap`, plus up to `base` seconds so that callers who
    were told the same do not come back at the same moment. `sleep` and `draw` (0 to 1) are replaced in tests.
    """

    max_attempts: int
    base: float = 0.5
    cap: float = 30.0
    retry_after_cap: float = 60.0
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    draw: Callable[[], float] = random.random

    async def run(self, attempt: Callable[[], Awaitable[T]], on_retry: Callable[[CallFailedError], None]) -> T:
        """The first success of `attempt`; `on_retry` hears of every failure that will be tried again.

        Raises:
            CallFailedError: the last failure, when it is not worth another attempt or none is left.
        """
        for number in range(1, self.max_attempts + 1):
            try:
                return await attempt()
            except CallFailedError as failed:
                if not failed.problem.retry or number == self.max_attempts:
                    raise
                on_retry(failed)
                wait = self.wait(number, failed.retry_after)
            await self.sleep(wait)
        raise AssertionError("max_attempts is at least 1")

    def wait(self, attempt: int, retry_after: float | None) -> float:
        """Seconds to wait after the failure of the given attempt, counted from 1."""
        if retry_after is not None:
            return min(retry_after, self.retry_after_cap) + self.draw() * self.base
        return self.draw() * min(self.cap, self.base * 2.0 ** (attempt - 1))
