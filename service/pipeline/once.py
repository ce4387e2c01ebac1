"""What an Idempotency-Key does: a request that is sent again makes nothing new."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from service.errors import InvalidError
from service.pipeline.services import Services
from service.store import idempotency


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A client's Idempotency-Key with the digest of the request that it came with."""

    key: str
    request_digest: str


def remember(session: Session, tenant: str, once: IdempotencyKey, made: str) -> None:
    """Note, in the transaction that makes a thing of that id, which request made it.

    Raises:
        sqlalchemy.exc.IntegrityError: another request with this key was first.
    """
    idempotency.remember(session, tenant, once.key, once.request_digest, made)


def earlier(services: Services, tenant: str, once: IdempotencyKey) -> str | None:
    """The id of what an earlier request with the same key has made.

    Raises:
        InvalidError: that was another request.
    """
    with services.store.read() as session:
        found = idempotency.find(session, tenant, once.key)
    if found is None:
        return None
    request_digest, made = found
    if request_digest != once.request_digest:
        raise InvalidError(
            "This Idempotency-Key was used for another request; send a fresh key with a new request.",
            code="idempotency_key_reused",
        )
    return made
