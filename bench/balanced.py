"""A client of several API processes, which does what a load balancer does when one of them goes away."""

import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import httpx2

GIVE_UP_SECONDS = 20.0
"""A request that no process has answered by then is lost."""
PAUSE_SECONDS = 0.05


@dataclass
class Seen:
    """What all clients together have met with."""

    requests: Counter[str] = field(default_factory=Counter)
    """Answered ones, by operation."""
    refused: Counter[str] = field(default_factory=Counter)
    """Connections that could not be opened, as is right while a process is replaced; each was tried again."""
    broken: Counter[str] = field(default_factory=Counter)
    """Connections that ended over a request that had been sent, by the kind of error; each was tried again."""
    failed: Counter[str] = field(default_factory=Counter)
    """What no client should see: statuses of 400 and above, answers that did not come."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, of: Counter[str], what: str) -> None:
        """Count one more; several threads do so."""
        with self._lock:
            of[what] += 1


class Balanced:
    """Sends each request to the process that answered last and, when its connection breaks, to the next one."""

    def __init__(self, urls: Sequence[str], key: str, seen: Seen) -> None:
        headers = {"Authorization": f"Bearer {key}"}
        self._clients = [httpx2.Client(base_url=url, headers=headers, trust_env=False, timeout=30) for url in urls]
        self._turn = 0
        self._seen = seen

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        for client in self._clients:
            client.close()

    def ask(self, operation: str, method: str, path: str, **options: Any) -> httpx2.Response | None:
        """The answer; None, and counted, when there was none or an error."""
        deadline = time.monotonic() + GIVE_UP_SECONDS
        while time.monotonic() < deadline:
            try:
                response = self._clients[self._turn].request(method, path, **options)
            except httpx2.TimeoutException as error:
                self._seen.note(self._seen.failed, f"{operation}: {type(error).__name__}")
                return None
            except httpx2.TransportError as error:
                refused = isinstance(error, httpx2.ConnectError)
                self._seen.note(self._seen.refused if refused else self._seen.broken, type(error).__name__)
                self._turn = (self._turn + 1) % len(self._clients)
                time.sleep(PAUSE_SECONDS)
                continue
            if response.is_error:
                self._seen.note(self._seen.failed, f"{operation}: {response.status_code} {response.text[:200]}")
                return None
            self._seen.note(self._seen.requests, operation)
            return response
        self._seen.note(self._seen.failed, f"{operation}: nobody answered for {GIVE_UP_SECONDS:.0f} s")
        return None
