"""Blueprints whose views describe themselves: each adds to the API's description what it takes, gives and refuses."""

from collections.abc import Callable
from importlib.metadata import version
from typing import Any, TypeVar

import flask_smorest
from flask import Flask

from service.api.auth import SECURITY_SCHEME
from service.api.body import RequestParser
from service.api.describing import OPENAPI_VERSION, Describer
from service.api.schemas.problems import ProblemSchema

View = TypeVar("View", bound=Callable[..., Any])

PROBLEMS = {
    400: ("InvalidJson", "The body is no JSON, or no UTF-8, or nested too deeply."),
    401: ("Unauthenticated", "There is no key, or it is unknown, revoked or expired."),
    403: ("Forbidden", "The key's role does not allow this."),
    404: ("NotFound", "The key's tenant has no such thing."),
    408: ("RequestTooSlow", "The body came too slowly."),
    409: ("Conflict", "It does not fit the present state."),
    413: ("BodyTooLarge", "The body is larger than 16 MiB, or the file of a suite than 256 MiB."),
    415: ("UnsupportedMediaType", "The body is not of a content type that is taken here."),
    422: ("Invalid", "The content is wrong; `errors` says where and what."),
    429: (
        "QuotaExceeded",
        "The tenant has used up what it may, or others are at it; `detail` says of what.",
    ),
    500: ("InternalError", "Something went wrong on our side."),
    503: (
        "Unavailable",
        "The database is out of reach, or too many large requests are under way; nothing was half done.",
    ),
}
_OF_A_BODY = (400, 408, 413, 415, 422)

REQUEST_ID = {
    "X-Request-ID": {
        "description": "The id given with the request, or one of ours.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"},
    }
}
_TEXT = {"schema": {"type": "string"}}
_OF_A_STATUS: dict[int, dict[str, Any]] = {
    401: {"WWW-Authenticate": {"description": "The scheme.", "required": True, **_TEXT}},
    429: {"Retry-After": {"description": "Seconds to wait.", "required": True, "schema": {"type": "integer"}}},
    503: {"Retry-After": {"description": "Seconds to wait, where that is known.", "schema": {"type": "integer"}}},
}
"""Headers of errors beside those of every answer."""
RATE_LIMIT = {
    "RateLimit-Policy": {"description": "Requests that the tenant may send, and in how many seconds.", **_TEXT},
    "RateLimit": {"description": "Requests that are left, and for how many seconds.", **_TEXT},
}


class Blueprint(flask_smorest.Blueprint):
    """The views of one resource."""

    ARGUMENTS_PARSER = RequestParser()

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._prepare_doc_cbks.append(_complete)

    @staticmethod
    def problems(*statuses: int) -> Callable[[View], View]:
        """Say which errors a view answers with beside those that follow from its arguments and its role."""

        def note(view: View) -> View:
            view._apidoc = {**getattr(view, "_apidoc", {}), "problems": statuses}  # type: ignore[attr-defined] # noqa: SLF001 - flask-smorest keeps a view's description there
            return view

        return note


class Api(flask_smorest.Api):
    """The API's description. Errors are answered by service.api.problems."""

    ERROR_SCHEMA = ProblemSchema
    DEFAULT_ERROR_RESPONSE_NAME = None

    def __init__(self, app: Flask) -> None:
        super().__init__(app, spec_kwargs={"marshmallow_plugin": Describer(), **_INFO})
        self.spec.components.security_scheme(
            SECURITY_SCHEME,
            {"type": "http", "scheme": "bearer", "description": "A key made with `proofhouse keys create`."},
        )

    def _register_error_handlers(self) -> None:
        """They are not flask-smorest's."""

    def _register_etag_headers(self) -> None:
        """None are used."""

    def _register_pagination_header(self) -> None:
        """None is used: cursors are part of the answer."""

    def _register_responses(self) -> None:
        """Named by us: the standard library's names differ between versions of Python."""
        for status, (name, description) in PROBLEMS.items():
            headers = {**REQUEST_ID, **_OF_A_STATUS.get(status, {})}
            content = {"application/problem+json": {"schema": ProblemSchema}}
            response = {"description": description, "headers": headers, "content": content}
            self.spec.components.response(name, response, lazy=True)


_INFO = {
    "title": "Proofhouse",
    "version": version("proofhouse"),
    "openapi_version": OPENAPI_VERSION,
    "info": {"description": "Tests language models for unsafe behaviour before they are released."},
    "servers": [{"url": "/"}],
}


def _complete(doc: dict[str, Any], info: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add to an operation what holds for all of its kind."""
    responses = {str(status): response for status, response in doc.get("responses", {}).items()}
    statuses = {500, *info.get("problems", ())}
    if "needs" in info:
        doc.setdefault("security", [{SECURITY_SCHEME: []}])
        statuses |= {401, 403, 429, 503}
    if "requestBody" in doc:
        statuses |= set(_OF_A_BODY)
    if "arguments" in info:
        statuses.add(422)
    for response in responses.values():
        if isinstance(response, dict):
            rate = RATE_LIMIT if "needs" in info else {}
            response["headers"] = {**response.get("headers", {}), **REQUEST_ID, **rate}
    errors = {str(status): PROBLEMS[status][0] for status in sorted(statuses)}
    doc["responses"] = dict(sorted({**responses, **errors}.items()))
    return doc
