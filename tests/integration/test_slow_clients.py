"""Slow clients are cut off, and stop nobody else meanwhile: with a real gunicorn, which has two threads here."""

import http.client
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.gunicorns import hurried_gunicorn

POST = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n"
UNREAD = POST.replace(b"POST /", b"POST /unread")
LARGE = b"GET /large HTTP/1.1\r\nHost: h\r\n\r\n"
HEADERS_BEGUN = b"GET / HTTP/1.1\r\nHost: h\r\nX-Slow: "
MANY = 6
"""Three times as many as there are threads."""


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("gunicorn") / "log"


@pytest.fixture(scope="module")
def port(log: Path) -> Iterator[int]:
    with hurried_gunicorn(log) as (_, port):
        yield port


def opened(port: int, sent: bytes = b"", **options: int) -> socket.socket:
    client = socket.socket()
    for name, value in options.items():
        client.setsockopt(socket.SOL_SOCKET, getattr(socket, name), value)
    client.settimeout(10)
    client.connect(("127.0.0.1", port))
    client.sendall(sent)
    return client


def answered(port: int, body: bytes = b"hello") -> float:
    """Seconds until a client that is not slow has its answer."""
    began = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("POST", "/", body=body)
    assert connection.getresponse().read() == str(len(body)).encode()
    connection.close()
    return time.monotonic() - began


def seconds_to_the_end(client: socket.socket, drip: bytes = b"") -> float:
    """Send a byte now and then until the connection is closed, and say how long that took."""
    began = time.monotonic()
    client.settimeout(0.1)
    while time.monotonic() - began < 10:
        try:
            client.sendall(drip)
            if not client.recv(65536):
                break
        except TimeoutError:
            continue
        except ConnectionError:
            break
    client.close()
    return time.monotonic() - began


@pytest.mark.parametrize(
    "begun", [b"", b"G", HEADERS_BEGUN, b"\r\n\r\n\r\n"], ids=["nothing", "line", "header", "empty"]
)
def test_many_who_are_slow_with_their_headers_stop_nobody_and_are_cut_off(port: int, begun: bytes) -> None:
    with ExitStack() as stack:
        clients = [stack.enter_context(opened(port, begun)) for _ in range(MANY)]
        assert answered(port) < 0.5
        assert 0.5 < seconds_to_the_end(clients[0], drip=b"a" if begun else b"") < 4
        assert answered(port) < 0.5


def test_a_byte_now_and_then_does_not_make_a_body(port: int) -> None:
    with opened(port, POST) as client:
        assert answered(port) < 0.5, "the other thread"
        assert 0.5 < seconds_to_the_end(client, drip=b"a") < 4
    assert answered(port) < 0.5


def test_a_body_that_nobody_reads_holds_no_thread(port: int) -> None:
    with ExitStack() as stack:
        for _ in range(MANY):
            stack.enter_context(opened(port, UNREAD))
        assert answered(port) < 3
    assert answered(port) < 0.5


def test_the_end_of_a_connection_is_waited_for_by_nobody(port: int) -> None:
    closing = b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
    with ExitStack() as stack:
        clients = [stack.enter_context(opened(port, closing)) for _ in range(MANY)]
        assert answered(port) < 0.5
        for client in clients:
            assert seconds_to_the_end(client) < 4


def test_who_does_not_take_the_answer_is_cut_off_with_one_line_in_the_log(port: int, log: Path) -> None:
    lines = len(log.read_text().splitlines())
    with opened(port, LARGE, SO_RCVBUF=4096) as client:
        time.sleep(1.5)
        assert seconds_to_the_end(client) < 4
    assert answered(port) < 2
    (line,) = log.read_text().splitlines()[lines:]
    assert "took its answer too slowly" in line
    assert '"level": "info"' in line


def test_a_few_bytes_now_and_then_are_not_taking_an_answer(port: int) -> None:
    with opened(port, LARGE, SO_RCVBUF=4096) as client:
        for _ in range(15):
            client.recv(1024)
            time.sleep(0.1)
        assert seconds_to_the_end(client) < 4


def test_a_large_answer_taken_at_a_fair_rate_may_take_longer_than_the_allowance(port: int) -> None:
    taken, began = 0, time.monotonic()
    with opened(port, LARGE, SO_RCVBUF=65_536) as client:
        while time.monotonic() - began < 2.5:
            taken += len(client.recv(32_768, socket.MSG_WAITALL))
            time.sleep(0.1)
        while taken < 3 * 2**20:
            data = client.recv(2**20)
            assert data, "cut off"
            taken += len(data)


def test_a_large_body_at_a_fair_rate_may_take_longer_than_the_allowance(port: int) -> None:
    piece = b"x" * 16_384
    with opened(port, POST.replace(b"1000000", b"%d" % (10 * len(piece)))) as client:
        for _ in range(10):
            client.sendall(piece)
            time.sleep(0.2)
        assert b"163840" in client.recv(65536)


def test_a_connection_is_used_again_and_requests_may_be_sent_ahead(port: int) -> None:
    with opened(port) as client:
        for _ in range(3):
            client.sendall(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc" * 2)
            received = b""
            while received.count(b"HTTP/1.1 200 OK") < 2 or not received.endswith(b"0\r\n\r\n"):
                received += client.recv(65536)
    assert answered(port, b"x" * 3 * 2**20) < 2


def test_headers_beyond_all_bounds_are_refused(port: int) -> None:
    with opened(port, HEADERS_BEGUN) as client:
        client.sendall(b"a" * 70_000)
        assert client.recv(100).startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: h\r\n\r\n", b"414"),
        (HEADERS_BEGUN + b"a" * 9000 + b"\r\n\r\n", b"431"),
        (b"GET / HTTP/1.1\r\nHost: h\r\n" + b"A: b\r\n" * 70 + b"\r\n", b"431"),
    ],
    ids=["line", "field", "fields"],
)
def test_a_header_beyond_its_bound_is_refused(port: int, head: bytes, status: bytes) -> None:
    with opened(port, head) as client:
        assert client.recv(100).split()[1] in {status, b"400"}
