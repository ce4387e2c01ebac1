"""Gunicorn's settings as the service has them, but for two threads and a patience of a second, and an app to serve."""

import time
from collections.abc import Callable, Iterable
from typing import Any

from service import gthread
from service.gunicorn_conf import *  # noqa: F403 - what gunicorn reads

threads = 2
gthread.HEADER_SECONDS = gthread.BODY_SECONDS = gthread.SEND_SECONDS = 1.0
gthread.LINGER_SECONDS = 1.0


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Say how long the body was; at /unread without having read it, at /large with much after it, at /slow late."""
    path = environ["PATH_INFO"]
    size = 0 if path == "/unread" else len(environ["wsgi.input"].read())
    if path == "/slow":
        time.sleep(1.5)
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield f"{size}".encode()
    if path == "/large":
        for _ in range(200):
            yield b"x" * 2**20
            time.sleep(0)
