"""However many clients are slow, others are served meanwhile: a real gunicorn with two threads and its usual patience.

Nobody is cut off here for being slow alone: that would take a minute. Each test leaves within seconds.
"""

import select
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import pytest

from tests.integration.test_slow_clients import LARGE, POST, UNREAD, answered, opened
from tests.support.gunicorns import patient_gunicorn

THREADS = 2
PLACES = 8
"""For clients that are waited for."""
CONNECTIONS = 30
SOON = 3
"""Seconds: an answer comes within milliseconds, or else not for a minute; the machine may be busy."""
SMALL = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
HUNG = b"GET /hung HTTP/1.1\r\nHost: h\r\n\r\n"
ALIVE = b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n"
"""Of the small app this is no other page than any, but gunicorn's worker knows it."""


@pytest.fixture(scope="module")
def gunicorn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[psutil.Popen, int]]:
    with patient_gunicorn(tmp_path_factory.mktemp("gunicorn") / "log") as started:
        yield started


@pytest.fixture
def port(gunicorn: tuple[psutil.Popen, int]) -> int:
    return gunicorn[1]


@pytest.fixture
def hung(tmp_path: Path) -> Iterator[int]:
    """The port of one whose threads are all busy for a minute."""
    with patient_gunicorn(tmp_path / "log") as (process, port), many(port, HUNG, THREADS):
        yield port
        for worker in process.children():
            worker.kill()
        process.kill()


@contextmanager
def many(port: int, sent: bytes, number: int = 3 * THREADS) -> Iterator[list[socket.socket]]:
    """Clients that have sent this, read nothing, and are being attended to."""
    with ExitStack() as stack:
        clients = [stack.enter_context(opened(port, sent, SO_RCVBUF=2048)) for _ in range(number)]
        time.sleep(0.3)
        yield clients


def alive(port: int) -> float:
    """Seconds until the answer to a probe."""
    began = time.monotonic()
    with opened(port, ALIVE) as client:
        assert client.recv(1000).startswith(b"HTTP/1.1 200 OK")
    return time.monotonic() - began


def is_cut_off(client: socket.socket) -> bool:
    """Whether the connection ends after what is on its way already, which is less than a MiB."""
    client.settimeout(1)
    taken = 0
    try:
        while taken < 2**20 and (data := client.recv(2**20)):
            taken += len(data)
    except TimeoutError:
        return False
    except ConnectionError:
        return True
    return taken < 2**20


@pytest.mark.parametrize(
    "sent", [LARGE, SMALL * 3000, POST, UNREAD], ids=["an answer", "many answers", "a body", "an unwanted body"]
)
def test_who_neither_sends_nor_takes_keeps_nobody_waiting(port: int, sent: bytes) -> None:
    with many(port, sent):
        assert answered(port) < SOON
        assert alive(port) < SOON


def test_who_takes_a_little_now_and_then_keeps_nobody_waiting(port: int) -> None:
    with many(port, LARGE) as clients:
        for _ in range(5):
            for client in clients:
                client.recv(4096)
            assert answered(port) < SOON


def test_who_takes_a_large_answer_as_fast_as_it_comes_lets_others_in_between(port: int) -> None:
    with many(port, LARGE, THREADS) as clients:
        for client in clients:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**22)
        taken, began = 0, time.monotonic()
        with opened(port, SMALL) as other:
            while not select.select([other], [], [], 0)[0]:
                taken += sum(len(client.recv(2**20)) for client in clients)
                assert taken < 100 * 2**20, "an answer is 200 MiB"
                assert time.monotonic() - began < SOON
            assert other.recv(1000)


def test_when_all_places_are_taken_the_one_goes_who_has_been_waited_for_longest(port: int) -> None:
    with many(port, LARGE, 1) as (first,), many(port, LARGE, PLACES) as others:
        assert answered(port) < SOON
        assert is_cut_off(first)
        assert not is_cut_off(others[-1])


@pytest.mark.parametrize("sent", [b"", b"GET / HT"], ids=["nothing", "line"])
def test_when_all_connections_are_taken_the_one_goes_that_has_been_idle_longest(port: int, sent: bytes) -> None:
    with many(port, sent, CONNECTIONS + 5) as clients:
        assert answered(port) < SOON
        assert alive(port) < SOON
        assert is_cut_off(clients[0])
        assert not is_cut_off(clients[-1])


def test_connections_that_are_kept_after_their_answers_keep_nobody_out(port: int) -> None:
    """Which of them goes is not said here: with so many kept, gunicorn itself may close one as it answers."""
    with many(port, SMALL, CONNECTIONS + 5) as clients:
        assert answered(port) < SOON
        assert alive(port) < SOON
        assert all(client.recv(1000).startswith(b"HTTP/1.1 200 OK") for client in clients)


def test_when_all_connections_are_busy_a_new_one_is_not_taken_for_an_idle_one(port: int) -> None:
    with many(port, LARGE, 2 * CONNECTIONS):
        for _ in range(20):
            assert answered(port) < SOON


def test_probes_are_answered_while_every_thread_waits_for_something_else(hung: int) -> None:
    assert alive(hung) < SOON
    with many(hung, ALIVE * 3000), many(hung, ALIVE[:-2] + b"Content-Length: 9\r\n\r\n"):
        assert alive(hung) < SOON


def test_waiting_for_clients_takes_no_processor(gunicorn: tuple[psutil.Popen, int]) -> None:
    process, port = gunicorn
    (worker,) = process.children()
    with many(port, LARGE):
        before = sum(worker.cpu_times()[:2])
        time.sleep(1)
        assert sum(worker.cpu_times()[:2]) - before < 0.2
