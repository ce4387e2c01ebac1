"""A request's body as bytes: all of it or none."""

from contextlib import suppress
from io import BufferedReader, RawIOBase
from typing import cast

from flask import Flask, Request, Response, g, request
from werkzeug.exceptions import RequestEntityTooLarge

from service.errors import SlowRequestError

CHUNK = 64 * 1024
DRAINED_BODIES = 2
"""How much of a refused body is taken in, in bodies of the largest size allowed."""


def register(app: Flask) -> None:
    """Let clients read why their body was refused."""
    app.after_request(_drain)


def read(given: Request) -> bytes:
    """The whole body.

    Raises:
        RequestEntityTooLarge: it is larger than allowed.
    """
    data = given.get_data()
    limit = given.max_content_length
    # Werkzeug cuts a chunked body off at the limit without a word; what is left may even be valid JSON.
    if given.content_length is None and limit is not None and len(data) >= limit:
        raise RequestEntityTooLarge
    return data


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
