"""Turns at work, and how a request gives its turn up while it waits for its client.

As many requests are worked on at once as there are turns. A client that is slow with its body or with taking its answer
costs a connection and a thread that sleeps, but no turn: others go on meanwhile.
"""

import errno
import logging
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from service.errors import SlowRequestError

PATIENCE_SECONDS = 60.0
"""How long a request waits for its client, all in all; no more than this is ever left."""
BYTES_A_SECOND = 16 * 1024
"""What a client must send or take to be waited for a second longer."""
SHARE_BYTES = 256 * 1024
"""After so much of its answer a request lets others have a turn, even if its client keeps up."""

logger = logging.getLogger(__name__)


class Turns:
    """So many turns, given in the order in which they are asked for, and so many places to wait for clients."""

    def __init__(self, number: int, places: int) -> None:
        self._free = number
        self._queue: deque[Callable[[], object]] = deque()
        self._places = places
        self._waiting: set[Client] = set()
        self._lock = threading.Lock()

    def take(self, then: Callable[[], object], *, first: bool = False) -> None:
        """Call `then` as soon as there is a turn for it: now, or from the thread that gives one up."""
        with self._lock:
            if not self._free:
                (self._queue.appendleft if first else self._queue.append)(then)
                return
            self._free -= 1
        then()

    def give(self) -> None:
        """Give a turn up, to whoever has waited longest."""
        with self._lock:
            if not self._queue:
                self._free += 1
                return
            then = self._queue.popleft()
        then()

    def share(self) -> None:
        """Let those who wait for a turn go first."""
        if self._queue:
            self.give()
            self._take_again()

    def wait(self, client: "Client", event: int) -> bool:
        """Wait for a client without a turn; False if it was too slow.

        When there is no place left, the client goes that has the least patience left.
        """
        client.deadline = time.monotonic() + client.patience
        with self._lock:
            self._waiting.add(client)
            if len(self._waiting) > self._places:
                slowest = min(self._waiting, key=lambda one: one.deadline)
                self._waiting.remove(slowest)
                slowest.cut()
        self.give()
        poll = select.poll()
        poll.register(client.sock, event)
        came = poll.poll(1000 * client.patience)
        with self._lock:
            self._waiting.discard(client)
        client.patience = max(client.deadline - time.monotonic(), 0)
        self._take_again(first=client.is_cut)  # to make an end of it, before the next begins
        return bool(came) and not client.is_cut

    def _take_again(self, *, first: bool = False) -> None:
        granted = threading.Event()
        self.take(granted.set, first=first)
        granted.wait()


class Client:
    """A request's socket, as those see it who read the request and send the answer."""

    def __init__(self, sock: socket.socket, turns: Turns) -> None:
        self.sock = sock
        self.patience = PATIENCE_SECONDS
        """Seconds."""
        self.deadline = 0.0
        """When patience will be over, while the client is waited for."""
        self.is_cut = False
        self._turns = turns
        self._since_shared = 0

    def recv(self, size: int) -> bytes:
        """What comes next, waited for; b"" at the end.

        Raises:
            SlowRequestError: the time for it is over.
        """
        while True:
            try:
                data = self.sock.recv(size, socket.MSG_DONTWAIT)
            except BlockingIOError:
                if not self._turns.wait(self, select.POLLIN):
                    message = "The body came too slowly; send it again over a faster connection."
                    raise SlowRequestError(message) from None
                continue
            self._moved(len(data))
            return data

    def sendall(self, data: bytes) -> None:
        """Send it all, as fast as the client takes it.

        Raises:
            BrokenPipeError: the time for it is over.
        """
        left = memoryview(data)
        while left:
            try:
                sent = self.sock.send(left, socket.MSG_DONTWAIT)
            except BlockingIOError:
                if not self._turns.wait(self, select.POLLOUT):
                    logger.info("a client was cut off that took its answer too slowly")
                    raise BrokenPipeError(errno.EPIPE, "too slow") from None
                continue
            self._moved(sent)
            left = left[sent:]
        self._since_shared += len(data)
        if self._since_shared >= SHARE_BYTES:
            self._since_shared = 0
            self._turns.share()

    send = sendall

    def cut(self) -> None:
        """End the connection, whoever waits for it."""
        self.is_cut = True
        with suppress(OSError):  # the client was faster
            self.sock.shutdown(socket.SHUT_RDWR)

    def shutdown(self, how: int) -> None:
        """As a socket's; gunicorn ends so what broke half-way."""
        self.sock.shutdown(how)

    def close(self) -> None:
        """As a socket's."""
        self.sock.close()

    def settimeout(self, seconds: float | None) -> None:
        """Shorten the patience that is left; gunicorn asks for it before it reads what nobody wanted."""
        if seconds is not None:
            self.patience = min(self.patience, seconds)

    def gettimeout(self) -> None:
        """None that gunicorn would have to set again."""

    def _moved(self, size: int) -> None:
        self.patience = min(self.patience + size / BYTES_A_SECOND, PATIENCE_SECONDS)
