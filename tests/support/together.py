"""Several things at the same moment."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def together(*works: Callable[[], T]) -> list[T]:
    """What each gives, in order, all begun at the same moment in threads of their own. Raises what they raise."""
    start = threading.Barrier(len(works))

    def begin(work: Callable[[], T]) -> T:
        start.wait(10)
        return work()

    with ThreadPoolExecutor(len(works)) as threads:
        begun = [threads.submit(begin, work) for work in works]
        return [future.result(60) for future in begun]
