"""What the log says of requests: a line for each, and on every other line which request it is about."""

import logging
import time

from flask import Flask, Response, g
from structlog.contextvars import bind_contextvars, clear_contextvars

from service import tracing
from service.api.context import request_id
from service.api.timing import named

PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
"""Asked every few seconds by machines: told at debug level alone."""

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
    bind_contextvars(request_id=request_id(), **({"trace_id": trace_id} if trace_id else {}))


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
