"""What only so many requests of a process may do at once, since each holds much memory, disk or time meanwhile."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from service.errors import ProofhouseError


class AtOnce:
    """So many places. Who finds none is sent away, since waiting would take a turn from others."""

    def __init__(self, places: int, busy: Callable[[], ProofhouseError]) -> None:
        self.places = places
        self._free = threading.BoundedSemaphore(places)
        self._busy = busy

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place for as long as the block runs.

        Raises:
            ProofhouseError: what `busy` makes, as there is none left.
        """
        if not self._free.acquire(blocking=False):
            raise self._busy()
        try:
            yield
        finally:
            self._free.release()
