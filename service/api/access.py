"""What the log says of requests: a line for each, and on every other line which request it is about."""

import logging
import re
import time

from flask import Flask, Response, g, request
from structlog.contextvars import bind_contextvars, clear_contextvars

from service import tracing
from service.api.context import request_id
from service.api.timing import named

PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
"""Asked every few seconds by machines: told at debug level alone."""

_ID = re.compile(r"(job|jdg|suite)_[0-9a-f]{24}")

logger = logging.getLogger(__name__)


def register(app: Flask) -> None:
    """Log every request, at the end of its response."""
    app.before_request(_begin)
    app.after_request(_end)


def bind_tenant(tenant: str) -> None:
    """Have the lines of this request say whose it is."""
    bind_contextvars(tenant=tenant)


def _begin() -> None:
    """A thread serves one request after the other, so what the last one has left is dropped."""
    clear_contextvars()
    trace_id = tracing.trace_id()
    bind_contextvars(request_id=request_id(), **({"trace_id": trace_id} if trace_id else {}), **_named_in_path())


def _named_in_path() -> dict[str, str]:
    """The job or suite that the address names: in the form of an id, for a client may put anything there, even a key.

    A judgement is a job inside, so that a worker's lines have its id as `job_id` too.
    """
    named: dict[str, str] = request.view_args or {}
    ids = {"job_id": named.get("judgement_id") or named.get("job_id"), "suite_id": named.get("suite_id")}
    return {name: value for name, value in ids.items() if value and _ID.fullmatch(value)}


def _end(response: Response) -> Response:
    method, route = named()
    level = logging.DEBUG if route in PROBES else logging.INFO
    about = {"method": method, "route": route, "status": response.status_code}
    started = g.started
    response.call_on_close(
        lambda: logger.log(
            level, "request", extra={**about, "duration_ms": round((time.perf_counter() - started) * 1000, 1)}
        )
    )
    return response
