"""An answer that is dear to make and needs not be of this very moment."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

FRESH_SECONDS = 1.0

T = TypeVar("T")


class Remembered(Generic[T]):
    """What was made last. It is made by one thread at a time; the others take what there is, unless that is nothing."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: tuple[T, float] | None = None
        """With the time until when it is fresh."""

    def get(self, make: Callable[[], T]) -> T:
        """The last one while it is fresh or being made anew, else a new one."""
        last = self._last
        if last and (time.monotonic() < last[1] or self._lock.locked()):
            return last[0]
        with self._lock:
            if self._last is None or self._last is last:
                self._last = (make(), time.monotonic() + FRESH_SECONDS)
            return self._last[0]
