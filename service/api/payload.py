"""A request's body as bytes: all of it or none."""

from contextlib import ExitStack, suppress
from io import BufferedReader, RawIOBase
from typing import cast

from flask import Flask, Request, Response, g, request
from werkzeug.exceptions import RequestEntityTooLarge

from service.api.at_once import AtOnce
from service.errors import BusyError, SlowRequestError

CHUNK = 64 * 1024
SMALL = 256 * 1024
"""A body that is read without asking whether there is room for it."""
LARGE = AtOnce(4, lambda: BusyError("Other large bodies are being worked on; send this one again in a few seconds."))
"""Each may have 16 MiB, and be held while its client is slow."""
DRAINED_BODIES = 2
"""How much of a refused body is taken in, in bodies of the largest size allowed."""


def register(app: Flask) -> None:
    """Let clients read why their body was refused, and others have its place when a request has ended."""
    app.after_request(_drain)
    app.teardown_request(_leave)


def read(given: Request) -> bytes:
    """The whole body.

    Raises:
        RequestEntityTooLarge: it is larger than allowed.
        BusyError: it is large, and as many of those are held as may be.
    """
    if "body" not in g:
        g.body = _whole(given)
    return cast("bytes", g.body)


def _whole(given: Request) -> bytes:
    data, limit = bytearray(), given.max_content_length
    while chunk := given.stream.read(CHUNK):
        data += chunk
        if len(data) > SMALL and "large_body" not in g:
            g.large_body = ExitStack()
            g.large_body.enter_context(LARGE.place())
    # Werkzeug cuts a chunked body off at the limit without a word; what is left may even be valid JSON.
    if given.content_length is None and limit is not None and len(data) >= limit:
        raise RequestEntityTooLarge
    return bytes(data)


def _leave(_: BaseException | None) -> None:
    g.pop("large_body", ExitStack()).close()


class Lines:
    """A body of any size, line by line."""

    def __init__(self, given: Request) -> None:
        self._file = BufferedReader(cast("RawIOBase", given.stream))
        self._left = given.max_content_length if given.content_length is None else None

    def readline(self, limit: int, /) -> bytes:
        """The next line with its end, or as much of it as `limit` allows; b"" at the end of the body.

        Raises:
            RequestEntityTooLarge: the body is larger than allowed; see `read`.
        """
        line = self._file.readline(limit)
        if self._left is not None:
            self._left -= len(line)
            if self._left <= 0:
                raise RequestEntityTooLarge
        return line


def _drain(response: Response) -> Response:
    """Read what is left of a body that was refused: while it still sends, a client does not see the answer.

    Only for those with a key, so that strangers can't keep a thread busy; their connection is cut.
    """
    ends = request.environ.get("wsgi.input_terminated")  # else reading on might wait for ever
    if response.status_code >= 400 and ends and "api_key" in g:  # noqa: PLR2004 - where errors begin
        left = DRAINED_BODIES * (request.max_content_length or 0)
        stream = request.environ["wsgi.input"]
        with suppress(OSError, SlowRequestError):
            while left > 0 and (chunk := stream.read(min(left, CHUNK))):
                left -= len(chunk)
    return response
