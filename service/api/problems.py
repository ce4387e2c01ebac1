"""Errors as RFC 9457 problem details: one shape for all of them, and never a traceback."""

import json
import logging
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, request
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from werkzeug.exceptions import HTTPException

from service.api.auth import CHALLENGE
from service.api.context import request_id
from service.errors import AuthenticationError, InvalidError, ProofhouseError, UnavailableError

MEDIA_TYPE = "application/problem+json"
MAX_BODY_MIB = 16
MAX_UPLOAD_MIB = 256
MAX_ERRORS = 100
"""That one answer names."""

logger = logging.getLogger(__name__)

_TOO_LARGE = f"Send a body of at most {MAX_BODY_MIB} MiB; the file of a suite may have {MAX_UPLOAD_MIB} MiB."
_WRONG_KIND = "Send the body as application/json; a suite may also be application/x-ndjson, text/csv or a form."

# What Flask and Werkzeug raise by themselves: status → (code, title, what to do).
_FROM_THE_FRAMEWORK = {
    400: ("bad_request", "Bad request", "The request can't be read; check its syntax."),
    404: ("not_found", "Not found", "There is nothing at this address; /docs lists what there is."),
    405: ("method_not_allowed", "Method not allowed", "Use one of the methods in the header Allow."),
    413: (
        "body_too_large",
        "Body too large",
        _TOO_LARGE,
    ),
    415: (
        "unsupported_media_type",
        "Unsupported media type",
        _WRONG_KIND,
    ),
}


class NotReadyError(UnavailableError):
    """The service can't do its work now; `checks` says what is wrong with which part."""

    code = "not_ready"
    title = "Not ready"

    def __init__(self, message: str, checks: dict[str, Any]) -> None:
        super().__init__(message)
        self.checks = checks


def register(app: Flask) -> None:
    """Answer every error with a problem."""
    app.register_error_handler(ProofhouseError, _on_service_error)
    app.register_error_handler(HTTPException, _on_http_error)
    for lost in (OperationalError, InterfaceError, PoolTimeoutError):
        app.register_error_handler(lost, _on_database_error)
    app.register_error_handler(Exception, _on_unexpected)


def problem(status: int, code: str, title: str, detail: str, **more: Any) -> Response:
    """A response with the problem."""
    body = {
        "type": f"urn:proofhouse:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": request_id(),
        "errors": [],
        **more,
    }
    return Response(json.dumps(body) + "\n", status, content_type=MEDIA_TYPE)


def _on_service_error(error: ProofhouseError) -> Response:
    if error.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return _on_unexpected(error)
    more: dict[str, Any] = {}
    if isinstance(error, InvalidError):
        more["errors"] = [{"pointer": pointer, "message": message} for pointer, message in error.errors[:MAX_ERRORS]]
    if isinstance(error, NotReadyError):
        more["checks"] = error.checks
    response = problem(error.status, error.code, error.title, str(error), **more)
    if isinstance(error, AuthenticationError):
        response.headers["WWW-Authenticate"] = CHALLENGE
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _on_http_error(error: HTTPException) -> Response:
    status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    code, title, detail = _FROM_THE_FRAMEWORK.get(
        status, (error.name.lower().replace(" ", "_"), error.name, error.description or error.name)
    )
    response = problem(status, code, title, detail)
    response.headers.extend((name, value) for name, value in error.get_headers() if name != "Content-Type")
    return response


def _on_database_error(error: Exception) -> Response:
    logger.error("request %s: the database is out of reach: %s", request_id(), error)
    return problem(
        503, "database_unavailable", UnavailableError.title, "The database is out of reach; try again shortly."
    )


def _on_unexpected(error: Exception) -> Response:
    route = request.url_rule.rule if request.url_rule else "no route"
    logger.error("request %s: %s %s failed", request_id(), request.method, route, exc_info=error)
    detail = "Something went wrong on our side. Tell the operator the request_id; the service's log has the rest."
    return problem(500, "internal_error", "Internal error", detail)
