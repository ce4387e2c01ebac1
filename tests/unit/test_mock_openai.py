"""The server that tests take for a model leaves nothing behind: what it left would fail whichever test ran later."""

import socket
from collections.abc import Callable

import psutil
import pytest

from tests.support.mock_openai import HANG, Answer, MockOpenAI, text
from tests.support.stack import wait_for

ASK = b"POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}"
CLIENTS = 5


def asking(port: int) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port))
    client.sendall(ASK)
    return client


def served_from(port: int) -> list[object]:
    """The server's ends of connections to that port that are still open."""
    return [each for each in psutil.Process().net_connections("tcp") if each.laddr.port == port]


def nobody(_server: MockOpenAI) -> bool:
    return True


def everybody(server: MockOpenAI) -> bool:
    return len(server.hits) == CLIENTS


@pytest.mark.parametrize(
    "answer", [text("hello"), HANG, Answer(body=bytes(20_000_000))], ids=["text", "none", "unread"]
)
@pytest.mark.parametrize("heard", [nobody, everybody])
def test_stopped_it_has_no_connection_open(answer: Answer, heard: Callable[[MockOpenAI], bool]) -> None:
    with MockOpenAI(answer) as server:
        clients = [asking(server.port) for _ in range(CLIENTS)]
        wait_for(lambda: heard(server) or None, 10, "requests")
    left = served_from(server.port)
    for client in clients:
        client.close()
    assert left == []
