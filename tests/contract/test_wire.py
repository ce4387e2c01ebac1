"""What only a real connection shows: bodies in chunks, bodies that are refused while they are sent, streams."""

import http.client
import json
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

MIB = 1024 * 1024
SPEC = {"target": {"type": "scripted", "replies": [{}]}, "suite": {"cases": [{"prompt": "p"}]}}


def ask(
    server: str, key: str, method: str, path: str, body: bytes | Iterator[bytes] | None = None, **headers: str
) -> tuple[http.client.HTTPResponse, bytes]:
    """Send a request with a body as it is; an iterator goes out in chunks, its length unsaid."""
    connection = http.client.HTTPConnection(urlsplit(server).netloc, timeout=30)
    try:
        given = {"Authorization": f"Bearer {key}", "Content-Type": "application/json", **headers}
        connection.request(method, path, body=body, headers=given)
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()


@pytest.mark.parametrize("mebibytes", [17, 30])
@pytest.mark.parametrize("chunked", [False, True], ids=["whole", "chunked"])
def test_a_body_over_the_limit_is_answered_to_a_client_that_sends_it_all(
    server: str, served_key: str, mebibytes: int, chunked: bool
) -> None:
    padding = [json.dumps(SPEC).encode(), *[b" " * MIB] * mebibytes]
    body = iter(padding) if chunked else b"".join(padding)
    response, content = ask(server, served_key, "POST", "/v1/jobs", body)
    assert (response.status, json.loads(content)["code"]) == (413, "body_too_large")


def test_a_body_in_chunks_is_read_whole(server: str, served_key: str) -> None:
    text = json.dumps({**SPEC, "name": "in chunks"}).encode()
    pieces = iter([text[start : start + 7] for start in range(0, len(text), 7)])
    response, content = ask(server, served_key, "POST", "/v1/jobs", pieces)
    assert (response.status, json.loads(content)["name"]) == (202, "in chunks")


def test_a_connection_is_used_again_after_an_error(server: str, served_key: str) -> None:
    connection = http.client.HTTPConnection(urlsplit(server).netloc, timeout=30)
    headers = {"Authorization": f"Bearer {served_key}", "Content-Type": "text/plain"}
    for _ in range(3):
        connection.request("POST", "/v1/jobs", body=b"x" * MIB, headers=headers)
        response = connection.getresponse()
        assert (response.status, json.loads(response.read())["code"]) == (415, "unsupported_media_type")
    connection.close()


def test_results_are_streamed_in_chunks(server: str, served_key: str) -> None:
    _, listed = ask(server, served_key, "GET", "/v1/jobs?status=completed")
    path = json.loads(listed)["data"][0]["links"]["results"]
    response, content = ask(server, served_key, "GET", path, Accept="application/x-ndjson")
    assert response.headers["Transfer-Encoding"] == "chunked"
    assert [json.loads(line)["case"]["index"] for line in content.splitlines()] == list(range(5))


def test_nothing_tells_the_version_of_the_server(server: str, served_key: str) -> None:
    for path in ("/v1/jobs", "/nowhere", "/docs"):
        response, _ = ask(server, served_key, "GET", path)
        assert response.headers["Server"] == "gunicorn"
        assert "X-Powered-By" not in response.headers
