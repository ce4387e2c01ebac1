"""Who may do what: bearer keys and the roles they carry."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import g, request

from service.api.context import services
from service.domain.roles import Role
from service.errors import AuthenticationError, PermissionDeniedError
from service.store import keys
from service.store.keys import ApiKey

P = ParamSpec("P")
R = TypeVar("R")

SECURITY_SCHEME = "bearer"
CHALLENGE = 'Bearer realm="proofhouse"'


def needs(role: Role) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a view answer only to keys of that role or a higher one, and say so in the API's description.

    Stands above the decorators that read the request, so that a stranger learns nothing from their errors.
    """

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def checked(*args: P.args, **kwargs: P.kwargs) -> R:
            require(role)
            return view(*args, **kwargs)

        checked._apidoc = {**getattr(view, "_apidoc", {}), "needs": role}  # type: ignore[attr-defined] # noqa: SLF001 - flask-smorest keeps a view's description there
        return checked

    return decorate


def require(role: Role) -> None:
    """Admit the request's key if it has that role or a higher one.

    Raises:
        AuthenticationError: there is no key, or it is unknown or revoked.
        PermissionDeniedError: its role is too low.
    """
    g.api_key = key = _authenticate()
    if not key.role.includes(role):
        raise PermissionDeniedError(
            f"This needs the role {role} or a higher one; the key has the role {key.role}. Ask for another key."
        )


def _authenticate() -> ApiKey:
    given = request.authorization
    if given is None or given.type != "bearer" or not given.token:
        raise AuthenticationError("Send a key in the header `Authorization: Bearer <key>`.")
    with services().store.read() as session:
        key = keys.find(session, given.token)
    if key is None:
        raise AuthenticationError("This key is unknown or has been revoked; check it or ask for a new one.")
    return key
