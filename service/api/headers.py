"""Headers that every answer carries."""

from http import HTTPStatus

from flask import Flask, Response

from service.api import limiting
from service.api.context import request_id

API_POLICY = "default-src 'none'; frame-ancestors 'none'"


def register(app: Flask) -> None:
    """Set them after every request."""
    app.after_request(_complete)


def _complete(response: Response) -> Response:
    """What a view has set itself stays."""
    response.headers["X-Request-ID"] = request_id()
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Frame-Options"] = "DENY"  # for browsers that do not know frame-ancestors
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    limiting.describe(response)
    if response.status_code == HTTPStatus.NO_CONTENT:
        response.headers.pop("Content-Type", None)
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers.setdefault("Content-Security-Policy", API_POLICY)
    return response
