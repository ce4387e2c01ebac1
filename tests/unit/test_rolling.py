"""bench.rolling tells what is wrong from what is not. That it does so under load is seen by running it."""

import socket
import threading
from collections import Counter
from collections.abc import Iterator

import pytest

from bench.balanced import Balanced, Seen
from bench.fleet import Fleet, Stop
from bench.rolling import CASES, Load, Outcome, show

WHOLE = Outcome(accepted=2, not_completed=0, missing=0, doubled=0, calls_beyond=0)


@pytest.fixture
def dropping() -> Iterator[str]:
    """A server that drops its first connection when a request has come, and answers the next."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            for answer in (b"", b"HTTP/1.1 204 No Content\r\n\r\n"):
                connection, _ = server.accept()
                with connection:
                    connection.recv(4096)
                    connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        thread.join()


def test_a_connection_that_breaks_is_told_from_one_that_is_refused(dropping: str) -> None:
    seen = Seen()
    with Balanced(["http://127.0.0.1:1", dropping], "key", seen) as api:
        assert api.ask("status", "GET", "/")
    assert seen.refused == Counter({"ConnectError": 2})
    assert seen.broken == Counter({"RemoteProtocolError": 1})
    assert seen.failed == Counter()


def shown(found: Outcome, **seen: Counter[str]) -> bool:
    fleet = Fleet({}, "key", 0, 0, None)  # type: ignore[arg-type] # it has no process and no log
    fleet.stops = [Stop("api", 0, 1.0), Stop("worker", 0, 1.0)]
    return show(Load(fleet, "", Seen(**seen)), found, 10)


def test_what_is_whole_is_as_it_must_be_though_connections_were_refused() -> None:
    assert shown(WHOLE, refused=Counter(ConnectError=3))


@pytest.mark.parametrize(
    "found",
    [
        Outcome(0, 0, 0, 0, 0),
        Outcome(2, 1, 0, 0, 0),
        Outcome(2, 0, 1, 0, 0),
        Outcome(2, 0, 0, 1, 0),
        Outcome(2, 0, 0, 0, 1),
        Outcome(2, 0, 0, 0, -CASES),
    ],
)
def test_what_is_lost_doubled_or_asked_twice_is_not(found: Outcome) -> None:
    assert not shown(found)


@pytest.mark.parametrize("kind", ["broken", "failed"])
def test_a_request_that_broke_or_failed_is_not(kind: str) -> None:
    assert not shown(WHOLE, **{kind: Counter(ReadError=1)})
