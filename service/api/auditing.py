"""Writes the audit log: every request with a key that would change something, whatever came of it.

But for those beyond the requests a minute: they reach no view, and would fill the log.
"""

import logging

from flask import Flask, Response, g, request
from sqlalchemy.exc import SQLAlchemyError

from service.api.context import current_key, request_id, services
from service.api.limiting import exceeded
from service.store import audit
from service.store.audit import Entry

logger = logging.getLogger(__name__)

READING = frozenset({"GET", "HEAD", "OPTIONS"})


def register(app: Flask) -> None:
    """Write an entry after every such request."""
    app.after_request(_note)


def _note(response: Response) -> Response:
    if "api_key" in g and "operation" in g and request.method not in READING and not exceeded():
        key = current_key()
        entry = Entry(key.tenant, g.operation, key.id, _object_id(response), response.status_code, request_id())
        try:
            with services().store.write() as session:
                audit.add(session, entry)
        except SQLAlchemyError:
            # What was done is done; telling the client that it failed would have it done twice.
            logger.exception("not in the audit log: %s", entry)
    return response


def _object_id(response: Response) -> str | None:
    """What was made, by its address, or else the innermost thing that the request's own address names."""
    if location := response.headers.get("Location"):
        return location.rsplit("/", 1)[-1]
    named = list((request.view_args or {}).values())
    return str(named[-1]) if named else None
