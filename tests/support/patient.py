"""Gunicorn's settings as the service has them, but for two threads and few connections, and an app to serve."""

import time
from collections.abc import Callable, Iterable
from typing import Any

from service.gunicorn_conf import *  # noqa: F403 - what gunicorn reads

threads = 2
worker_connections = 30


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Say how long the body was.

    At /unread without having read it, at /large with much after it, at /slow late, at /hung after a minute.
    """
    path = environ["PATH_INFO"]
    size = 0 if path == "/unread" else len(environ["wsgi.input"].read())
    time.sleep({"/slow": 1.5, "/hung": 60}.get(path, 0))
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield f"{size}".encode()
    if path == "/large":
        for _ in range(200):
            yield b"x" * 2**20
            time.sleep(0)
