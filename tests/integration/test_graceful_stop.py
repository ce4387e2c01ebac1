"""What clients see when the API is told to stop: a real gunicorn for each test, with two threads."""

import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.support.gunicorns import hurried_gunicorn
from tests.support.stack import wait_for

SLOW = b"GET /slow HTTP/1.1\r\nHost: h\r\n\r\n"
QUICK = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
MANY = 6
"""Three times as many as there are threads."""


@dataclass
class Served:
    """A gunicorn that the test stops."""

    process: psutil.Popen
    port: int

    def opened(self, sent: bytes = b"") -> socket.socket:
        client = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        client.sendall(sent)
        return client

    def refuses(self) -> bool:
        try:
            self.opened().close()
        except ConnectionRefusedError:
            return True
        return False

    def stop(self) -> None:
        """SIGTERM, and the time that it takes to arrive."""
        self.process.terminate()
        time.sleep(0.5)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with hurried_gunicorn(tmp_path / "log") as (process, port):
        yield Served(process, port)


def answer(client: socket.socket) -> bytes:
    """One whole answer of the app, which comes in chunks."""
    received = b""
    while not received.endswith(b"0\r\n\r\n"):
        more = client.recv(65536)
        assert more, f"the connection ended after {received!r}"
        received += more
    assert received.startswith(b"HTTP/1.1 200 OK")
    return received


def test_a_request_under_way_is_answered_and_so_is_the_next_on_its_connection_the_last_one(served: Served) -> None:
    with served.opened(SLOW) as client:
        time.sleep(0.2)
        served.stop()
        answer(client)
        client.sendall(QUICK)
        assert b"Connection: close" in answer(client)
        assert client.recv(1) == b""
    assert served.process.wait(10) == 0


def test_who_comes_while_requests_are_under_way_is_refused_at_once_and_can_go_elsewhere(served: Served) -> None:
    with served.opened(SLOW) as client:
        time.sleep(0.2)
        served.stop()
        with pytest.raises(ConnectionRefusedError):
            served.opened()
        answer(client)


def test_who_was_connected_but_not_yet_noticed_is_answered(served: Served) -> None:
    (worker,) = served.process.children()
    worker.suspend()
    with ExitStack() as stack:
        clients = [stack.enter_context(served.opened(QUICK)) for _ in range(MANY)]
        served.stop()
        worker.send_signal(signal.SIGCONT)
        for client in clients:
            answer(client)


def test_after_the_death_of_its_parent_the_port_is_soon_free_for_another_and_no_answer_is_lost(served: Served) -> None:
    with served.opened(SLOW) as client:
        time.sleep(0.2)
        served.process.kill()
        answer(client)
        wait_for(served.refuses, 5, "the port")
