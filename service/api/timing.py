"""How long requests take, from their arrival to the end of their response, streams included."""

import time

from flask import Flask, Response, g, request
from flask_smorest.spec.plugins import FlaskPlugin

from service.metrics import HTTP_REQUEST_DURATION

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def register(app: Flask) -> None:
    """Time every request."""
    app.before_request(_start)
    app.after_request(_finish)


def _start() -> None:
    g.started = time.perf_counter()


def _finish(response: Response) -> Response:
    series = HTTP_REQUEST_DURATION.labels(*named(), str(response.status_code))
    started = g.started
    response.call_on_close(lambda: series.observe(time.perf_counter() - started))
    return response


def named() -> tuple[str, str]:
    """The request's method and route. They must stay few: whatever a client may make up is put under one name."""
    method = request.method if request.method in _METHODS else "other"
    return method, FlaskPlugin.flaskpath2openapi(request.url_rule.rule) if request.url_rule else "unmatched"
