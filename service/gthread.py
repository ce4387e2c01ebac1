"""Gunicorn's worker with threads, which no client can hold up by being slow.

A thread is given a request once its headers are there; until then the connection waits where hundreds may. The body
must then come and the answer must be taken at a rate that any network has, or the client is cut off; whoever waits for
it lets others work meanwhile (see `turns`). A connection that ends is waited for by no thread, and when there are as
many as there may be, one that nobody works on makes room for the next.

Whether the process lives is answered by a thread of its own, whatever all others wait for.

Told to stop, it answers whoever has connected and closes its door to others, who can then go elsewhere.
"""

import socket
import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from selectors import EVENT_READ
from typing import Any

from gunicorn.util import write_error
from gunicorn.workers.gthread import TConn, ThreadWorker

from service.errors import SlowRequestError
from service.turns import Client, Turns

HEADER_SECONDS = 10.0
"""For the headers of a request, from when its connection is opened or its first byte comes."""
NEW_SECONDS = 0.2
"""As long as a connection need not fear to be taken for an idle one."""
UNREAD_SECONDS = 0.5
"""For the rest of a body that nobody wanted, before its connection is closed instead of used again."""
LINGER_SECONDS = 2.0
"""For a client to see the end of a connection; closed at once, it might not see the answer either."""
PLACES_A_TURN = 4
"""Where requests wait for slow clients, for each that may be worked on. They keep memory while they do, but little:
of those with much, there are few at once (`api.payload`, `api.uploading`)."""
UNSENT_BYTES = 128 * 1024
"""What the kernel keeps of an answer beyond what is on its way, so that what it takes tells what the client does."""
MAX_HEAD = 64 * 1024
LIVENESS = b"GET /healthz "
_END = b"\r\n\r\n"


class Worker(ThreadWorker):  # type: ignore[misc] # gunicorn has no types
    """Reads headers in its own loop and lets threads do the rest."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._lingering: deque[TConn] = deque()
        self._turns = Turns(self.cfg.threads, PLACES_A_TURN * self.cfg.threads)
        self._liveness = Turns(1, 0)

    def get_thread_pool(self) -> ThreadPoolExecutor:
        """A thread for whoever needs one; the turns keep them few."""
        return ThreadPoolExecutor(self.worker_connections)

    def init_process(self) -> None:
        """What connections inherit is set where they are accepted."""
        for listener in self.sockets:
            if listener.family != socket.AF_UNIX:
                listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
        super().init_process()

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
        """Answer a request. Runs in a thread that has been given a turn."""
        try:
            conn.init()
            conn.parser.unreader.sock = Client(conn.sock, conn.turns)
            conn.parser.unreader.unread(bytes(conn.head))
            return super().handle(conn)
        finally:
            conn.turns.give()

    def handle_request(self, req: Any, conn: TConn) -> Any:
        """As gunicorn's, but that it does not wait for ever for the answer to be taken, nor with a turn."""
        sock, conn.sock = conn.sock, conn.parser.unreader.sock
        try:
            return super().handle_request(req, conn)
        finally:
            conn.sock = sock

    def finish_request(self, conn: TConn, fs: "Future[Any]") -> None:
        """After an answer; gunicorn would wait here for the end of a connection, and everybody with it."""
        if fs.exception() or fs.result():
            super().finish_request(conn, fs)
            return
        with suppress(OSError):  # the client was faster
            conn.sock.shutdown(socket.SHUT_WR)
        self._watch(conn, self._lingering, LINGER_SECONDS, self._on_lingering_socket_readable)

    def murder_pending(self) -> None:
        """Close what has waited long enough, and when there is no room for the next, what has been idle longest."""
        super().murder_pending()
        while self._lingering and self._lingering[0].timeout < time.monotonic():
            self._end(self._lingering[0], self._lingering)
        while self.nr_conns >= self.worker_connections and (idle := self._idle()):
            self._end(idle[0], idle)

    def _idle(self) -> Any:
        """Connections that nobody works on, those that can be done without first."""
        if self._lingering:
            return self._lingering
        as_yet = time.monotonic() + HEADER_SECONDS - NEW_SECONDS
        if self.pending_conns and self.pending_conns[0].timeout < as_yet:
            return self.pending_conns
        return self.keepalived_conns

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
        """Add to what has come; when all headers are there, a thread gets it in its turn."""
        searched = max(0, len(conn.head) - len(_END) + 1)
        conn.head += data if conn.head else data.lstrip(b"\r\n")
        if conn.head.find(_END, searched) < 0:
            return False
        conn.turns = self._liveness if conn.head.startswith(LIVENESS) else self._turns
        conn.turns.take(partial(super().enqueue_req, conn))
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
