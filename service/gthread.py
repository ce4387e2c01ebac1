"""Gunicorn's worker with threads, which no client can hold up by being slow.

A thread is given a request once its headers are there; until then the connection waits where a thousand may. The body
must then come at a rate that any network has, and the answer must be taken. Who does neither is cut off, and a
connection that ends is waited for by no thread.

Told to stop, it answers whoever has connected and closes its door to others, who can then go elsewhere.
"""

import socket
import time
from collections import deque
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from selectors import EVENT_READ
from typing import Any

from gunicorn.util import write_error
from gunicorn.workers.gthread import TConn, ThreadWorker

from service.errors import SlowRequestError

HEADER_SECONDS = 10.0
"""For the headers of a request, from when its connection is opened or its first byte comes."""
BODY_SECONDS = 20.0
"""A body's allowance to begin with."""
BODY_BYTES_A_SECOND = 16 * 1024
"""What it must come at beyond that."""
UNREAD_SECONDS = 0.5
"""For the rest of a body that nobody wanted, before its connection is closed instead of used again."""
SEND_SECONDS = 60.0
"""For a client to take a piece of its answer."""
LINGER_SECONDS = 2.0
"""For a client to see the end of a connection; closed at once, it might not see the answer either."""
MAX_HEAD = 64 * 1024
_END = b"\r\n\r\n"


class Metered:
    """A request's socket as its reader sees it."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._deadline = time.monotonic() + BODY_SECONDS

    def recv(self, size: int) -> bytes:
        """What comes next, waited for; b"" at the end.

        Raises:
            SlowRequestError: the time for it is over.
        """
        self._sock.settimeout(max(self._deadline - time.monotonic(), 0.001))
        try:
            data = self._sock.recv(size)
        except TimeoutError:
            raise SlowRequestError("The body came too slowly; send it again over a faster connection.") from None
        finally:
            self._sock.settimeout(SEND_SECONDS)
        self._deadline += len(data) / BODY_BYTES_A_SECOND
        return data

    def settimeout(self, seconds: float | None) -> None:
        """Shorten the time that is left; gunicorn asks for it before it reads what nobody wanted."""
        if seconds is not None:
            self._deadline = min(self._deadline, time.monotonic() + seconds)

    def gettimeout(self) -> None:
        """None that gunicorn would have to set again."""


class Worker(ThreadWorker):  # type: ignore[misc] # gunicorn has no types
    """Reads headers in its own loop and lets threads do the rest."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._lingering: deque[TConn] = deque()

    def set_accept_enabled(self, enabled: bool) -> None:
        """When stopping, take in who has connected and refuse who comes later; gunicorn would let them wait unheard."""
        super().set_accept_enabled(enabled)
        if not enabled and not self.alive:
            for listener in self.sockets:
                self._accept_all(listener)
                listener.close()

    def is_parent_alive(self) -> bool:
        """Without its parent the worker stops as if it had been told to: another process will want the port."""
        if super().is_parent_alive():
            return True
        self.alive = False
        return False

    def enqueue_req(self, conn: TConn) -> None:
        """Wait for a request's headers; some of it may be there already, read along with the request before."""
        conn.head = bytearray()
        if not self._add(conn, conn.parser.unreader.take_buffered() if conn.parser else b""):
            self._watch(conn, self.pending_conns, HEADER_SECONDS, self.on_pending_socket_readable)

    def on_pending_socket_readable(self, conn: TConn, client: socket.socket) -> None:
        """Read on."""
        data = _received(client)
        if data == b"" or len(conn.head) + len(data or b"") > MAX_HEAD:
            if data:
                with suppress(OSError):
                    write_error(client, 431, "Request Header Fields Too Large", "")
            self._end(conn, self.pending_conns)
        elif data and self._add(conn, data):
            self.poller.unregister(client)
            self.pending_conns.remove(conn)

    def handle(self, conn: TConn) -> Any:
        """Answer a request. Runs in a thread."""
        conn.init()
        conn.parser.unreader.sock = Metered(conn.sock)
        conn.parser.unreader.unread(bytes(conn.head))
        return super().handle(conn)

    def handle_request(self, req: Any, conn: TConn) -> Any:
        """As gunicorn's, but that it does not wait for ever for the answer to be taken."""
        conn.sock.settimeout(SEND_SECONDS)
        return super().handle_request(req, conn)

    def finish_request(self, conn: TConn, fs: "Future[Any]") -> None:
        """After an answer; gunicorn would wait here for the end of a connection, and everybody with it."""
        if fs.exception() or fs.result():
            super().finish_request(conn, fs)
            return
        with suppress(OSError):  # the client was faster
            conn.sock.shutdown(socket.SHUT_WR)
        self._watch(conn, self._lingering, LINGER_SECONDS, self._on_lingering_socket_readable)

    def murder_pending(self) -> None:
        """Close what has waited long enough."""
        super().murder_pending()
        while self._lingering and self._lingering[0].timeout < time.monotonic():
            self._end(self._lingering[0], self._lingering)

    def _accept_all(self, listener: Any) -> None:
        before = -1
        while self.nr_conns != before:
            before = self.nr_conns
            self.accept(listener)

    def _on_lingering_socket_readable(self, conn: TConn, client: socket.socket) -> None:
        if _received(client) == b"":
            self._end(conn, self._lingering)

    def _keepalive_after(self, conn: TConn, keepalive: bool) -> bool:
        try:
            return keepalive and bool(conn.parser.finish_body(deadline=time.monotonic() + UNREAD_SECONDS))
        except SlowRequestError:
            return False

    def _add(self, conn: TConn, data: bytes) -> bool:
        """Add to what has come; when all headers are there, a thread gets it."""
        searched = max(0, len(conn.head) - len(_END) + 1)
        conn.head += data if conn.head else data.lstrip(b"\r\n")
        if conn.head.find(_END, searched) < 0:
            return False
        super().enqueue_req(conn)
        return True

    def _watch(self, conn: TConn, among: "deque[TConn]", seconds: float, then: Any) -> None:
        conn.timeout = time.monotonic() + seconds
        try:
            conn.sock.setblocking(False)
            self.poller.register(conn.sock, EVENT_READ, partial(then, conn))
        except (OSError, ValueError):  # it is closed already
            self.nr_conns -= 1
            return
        among.append(conn)

    def _end(self, conn: TConn, among: "deque[TConn]") -> None:
        self.poller.unregister(conn.sock)
        among.remove(conn)
        self.nr_conns -= 1
        conn.close()


def _received(client: socket.socket) -> bytes | None:
    """What has come; b"" at the end, None when nothing has."""
    try:
        return client.recv(MAX_HEAD)
    except BlockingIOError:
        return None
    except OSError:
        return b""
