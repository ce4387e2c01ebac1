"""Requests a minute: each is counted, and every answer says how its tenant stands.

The headers are those of the IETF's draft "RateLimit header fields for HTTP".
"""

from flask import Response, g

from service.api.context import current_tenant, services
from service.errors import QuotaExceededError
from service.pipeline import quota
from service.pipeline.quota import WINDOW_SECONDS, Window


def admit_request() -> None:
    """Count the request against its tenant's quota.

    Raises:
        QuotaExceededError: the tenant has sent more requests than it may.
    """
    tenant = current_tenant()
    with services().store.read() as session:
        allowed = quota.of_tenant(services(), session, tenant)
    window = quota.count_request(services(), allowed, tenant)
    if window is None:
        return
    g.window = window
    if window.exceeded:
        raise QuotaExceededError(
            f"{window.limit:,} requests a minute are allowed. Wait {window.seconds} seconds, and send fewer.",
            retry_after=window.seconds,
        )


def exceeded() -> bool:
    """Whether the request was refused for being one too many."""
    window: Window | None = g.get("window")
    return window is not None and window.exceeded


def describe(response: Response) -> None:
    """Say in an answer's headers what is left."""
    window: Window | None = g.get("window")
    if window:
        response.headers["RateLimit-Policy"] = f'"requests";q={window.limit};w={WINDOW_SECONDS}'
        response.headers["RateLimit"] = f'"requests";r={window.left};t={window.seconds}'
