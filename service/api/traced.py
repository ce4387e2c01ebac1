"""Spans of requests, below the client's if it sends a `traceparent`."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, cast

from flask import Flask, Response, request

from service import tracing
from service.api.context import request_id
from service.api.timing import named

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_SPAN = "proofhouse.span"


def register(app: Flask) -> None:
    """Trace every request to the API proper, until its answer begins; probes and pages are left out."""
    answer = app.wsgi_app

    def traced(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if not environ["PATH_INFO"].startswith("/v1/"):
            return answer(environ, start_response)
        parent = environ.get("HTTP_TRACEPARENT")
        with tracing.span("request", {}, kind=tracing.Kind.SERVER, parent=parent) as span:
            environ[_SPAN] = span
            return answer(environ, start_response)

    app.wsgi_app = traced  # type: ignore[method-assign] # Flask's own way to put something before it
    app.after_request(_describe)


def _describe(response: Response) -> Response:
    """Say what it was, now that the route is known. By the conventions, only what we did wrong is an error."""
    span = cast("tracing.Span | None", request.environ.get(_SPAN))
    if span:
        method, route = named()
        span.rename(f"{method} {route}")
        span.note(
            {
                "http.request.method": method,
                "http.route": route,
                "http.response.status_code": response.status_code,
                "proofhouse.request_id": request_id(),
            }
        )
        if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            span.fail(str(response.status_code))
    return response
