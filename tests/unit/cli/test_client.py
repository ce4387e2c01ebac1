import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from service.cli.client import Client, UnreachableError, job_path
from service.cli.exits import CommandError, Exit

PROBLEM = {"title": "Invalid request", "detail": "Two things are wrong.", "request_id": "req_1", "errors": []}


def client(answer: Callable[[httpx2.Request], httpx2.Response]) -> Client:
    return Client("http://service.test", "ph_key", httpx2.MockTransport(answer))


def answering(status: int, value: Any = PROBLEM) -> Client:
    content = value if isinstance(value, bytes) else json.dumps(value).encode()
    return client(lambda _: httpx2.Response(status, content=content))


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (301, Exit.INFRASTRUCTURE),
        (400, Exit.USAGE),
        (401, Exit.AUTHENTICATION),
        (403, Exit.AUTHENTICATION),
        (404, Exit.USAGE),
        (409, Exit.USAGE),
        (413, Exit.USAGE),
        (422, Exit.USAGE),
        (429, Exit.INFRASTRUCTURE),
        (500, Exit.INFRASTRUCTURE),
        (502, Exit.INFRASTRUCTURE),
        (503, Exit.INFRASTRUCTURE),
    ],
)
@pytest.mark.parametrize("ask", [lambda c: c.get("/x"), lambda c: c.post("/x", {}), lambda c: list(c.stream("/x"))])
def test_each_status_has_its_exit_code(status: int, code: Exit, ask: Callable[[Client], Any]) -> None:
    with pytest.raises(CommandError, match=r"Two things are wrong\.") as caught:
        ask(answering(status))
    assert caught.value.code is code


def test_what_is_wrong_with_a_request_is_said_in_one_line() -> None:
    errors = [{"pointer": "/target/model", "message": "Missing."}, {"pointer": "", "message": "Odd."}]
    with pytest.raises(CommandError) as caught:
        answering(422, {**PROBLEM, "errors": errors}).post("/v1/jobs", {})
    assert str(caught.value) == "Two things are wrong. /target/model: Missing.; /: Odd."


def test_what_the_service_did_wrong_can_be_looked_up() -> None:
    with pytest.raises(CommandError, match=r"\(request_id req_1\)"):
        answering(500).get("/x")


@pytest.mark.parametrize("body", [b"<html>Bad gateway</html>", b"", b"[]", b'{"errors": 1}', b'{"errors": [{}]}'])
def test_a_failure_that_is_no_problem_document_is_still_explained(body: bytes) -> None:
    with pytest.raises(UnreachableError, match=r"http://service\.test answered with HTTP 502\."):
        answering(502, body).get("/x")


@pytest.mark.parametrize("body", [b"<html>It works!</html>", b"", b"[]", b"null", b"\xff"])
def test_an_answer_of_some_other_server_is_recognised(body: bytes) -> None:
    with pytest.raises(CommandError, match="is not Proofhouse") as caught:
        answering(200, body).get("/x")
    assert caught.value.code is Exit.INFRASTRUCTURE


@pytest.mark.parametrize("error", [httpx2.ConnectError("refused"), httpx2.ReadTimeout(""), httpx2.ReadError("reset")])
def test_a_service_out_of_reach_says_what_to_do(error: Exception) -> None:
    def fail(_: httpx2.Request) -> httpx2.Response:
        raise error

    with pytest.raises(UnreachableError, match="proofhouse up") as caught:
        client(fail).get("/x")
    assert caught.value.code is Exit.INFRASTRUCTURE


def test_rows_stream_one_by_one() -> None:
    rows = client(lambda request: httpx2.Response(200, content=b'{"n": 1}\n{"n": 2}\n', headers=request.headers))
    assert list(rows.stream("/rows")) == [{"n": 1}, {"n": 2}]


def test_the_key_and_only_what_was_given_is_sent() -> None:
    seen: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return httpx2.Response(200, json={})

    client(answer).get("/v1/jobs", status=None, limit=5)
    assert str(seen[0].url) == "http://service.test/v1/jobs?limit=5"
    assert seen[0].headers["Authorization"] == "Bearer ph_key"


def test_an_id_cannot_leave_its_place_in_the_path() -> None:
    assert job_path("../keys?x=1#", "cancel") == "/v1/jobs/..%2Fkeys%3Fx%3D1%23/cancel"
