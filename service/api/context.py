"""What a request works with: the service's parts, who asks, and the request's id."""

import re
import secrets
from typing import Any, NamedTuple, cast

from flask import Flask, current_app, g, request
from prometheus_client.core import Metric

from service.api.remembered import Remembered
from service.pipeline.services import Services
from service.settings import Settings
from service.store.keys import ApiKey

_EXTENSION = "proofhouse"
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class _Parts(NamedTuple):
    settings: Settings
    services: Services
    checks: Remembered[dict[str, Any]]
    state: Remembered[list[Metric]]


def attach(app: Flask, settings: Settings) -> None:
    """Give the application its services, which connect when first used."""
    app.extensions[_EXTENSION] = _Parts(settings, Services.from_settings(settings), Remembered(), Remembered())


def _parts() -> _Parts:
    return cast("_Parts", current_app.extensions[_EXTENSION])


def services() -> Services:
    """The pipeline's services of this application."""
    return _parts().services


def settings() -> Settings:
    """The settings of this application."""
    return _parts().settings


def last_checks() -> Remembered[dict[str, Any]]:
    """What this application last found out about what it needs."""
    return _parts().checks


def last_state() -> Remembered[list[Metric]]:
    """What this application last found out about jobs, queue and workers."""
    return _parts().state


def current_key() -> ApiKey:
    """The key that the request came with; views without `needs` have none."""
    return cast("ApiKey", g.api_key)


def current_tenant() -> str:
    """Whose data the request may see."""
    return current_key().tenant


def request_id() -> str:
    """The client's X-Request-ID if it is short and plain, else one of ours; the same throughout a request."""
    if "request_id" not in g:
        given = request.headers.get("X-Request-ID", "")
        g.request_id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
    return cast("str", g.request_id)
