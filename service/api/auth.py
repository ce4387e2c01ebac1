"""Who may do what: bearer keys and the roles they carry."""

import logging
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import g, request
from sqlalchemy.exc import OperationalError

from service.api.access import bind_tenant
from service.api.context import current_key, services
from service.api.limiting import admit_request
from service.domain.roles import Role
from service.errors import AuthenticationError, PermissionDeniedError
from service.store import keys
from service.store.keys import ApiKey

P = ParamSpec("P")
R = TypeVar("R")

logger = logging.getLogger(__name__)

SECURITY_SCHEME = "bearer"
CHALLENGE = 'Bearer realm="proofhouse"'


def needs(role: Role) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a view answer only to keys of that role or a higher one, and say so in the API's description.

    Stands above the decorators that read the request, so that a stranger learns nothing from their errors.
    """

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        described = {**getattr(view, "_apidoc", {}), "needs": role}

        @wraps(view)
        def checked(*args: P.args, **kwargs: P.kwargs) -> R:
            g.operation = described["manual_doc"]["operationId"]
            authenticate()
            admit_request()
            _permit(role)
            return view(*args, **kwargs)

        checked._apidoc = described  # type: ignore[attr-defined] # noqa: SLF001 - flask-smorest keeps a view's description there
        return checked

    return decorate


def require(role: Role) -> None:
    """Admit the request's key if it has that role or a higher one.

    Raises:
        AuthenticationError: there is no key, or it is unknown, revoked or expired.
        PermissionDeniedError: its role is too low.
    """
    authenticate()
    _permit(role)


def authenticate() -> None:
    """Note whose request this is. The key is looked up each time, so that one revoked is refused at once.

    Raises:
        AuthenticationError: there is no key, or it is unknown, revoked or expired.
    """
    given = request.authorization
    if given is None or given.type != "bearer" or not given.token:
        raise AuthenticationError("Send a key in the header `Authorization: Bearer <key>`.")
    with services().store.read() as session:
        key = keys.find(session, given.token)
    if key is None:
        raise AuthenticationError("This key is unknown, revoked or expired; check it or ask for a new one.")
    g.api_key = key
    bind_tenant(key.tenant)
    if key.use_is_due:
        _note_use(key)


def _note_use(key: ApiKey) -> None:
    """For people who look for keys that nobody uses; no request fails for it."""
    try:
        with services().store.write() as session:
            keys.note_use(session, key.id)
    except OperationalError as error:
        logger.warning("the use of key %s was not noted: %s", key.id, error)


def _permit(role: Role) -> None:
    key = current_key()
    if not key.role.includes(role):
        raise PermissionDeniedError(
            f"This needs the role {role} or a higher one; the key has the role {key.role}. Ask for another key."
        )
