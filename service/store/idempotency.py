"""Idempotency keys: the same POST sent twice makes one job. Keys are kept for a day."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import and_, delete, insert, select
from sqlalchemy.orm import Session

from service.store.session import changed
from service.store.tables import IdempotencyRow

KEPT = timedelta(hours=24)


def remember(session: Session, tenant: str, key: str, request_digest: str, made: str) -> None:
    """Note, in the transaction that makes a thing of that id, which request made it.

    Raises:
        sqlalchemy.exc.IntegrityError: another request with this key was first.
    """
    now = datetime.now(UTC)
    used = and_(IdempotencyRow.tenant == tenant, IdempotencyRow.key == key)
    changed(session, delete(IdempotencyRow).where(used, IdempotencyRow.created_at < now - KEPT))
    row = {"tenant": tenant, "key": key, "request_digest": request_digest, "made": made, "created_at": now}
    session.execute(insert(IdempotencyRow), row)


def find(session: Session, tenant: str, key: str) -> tuple[str, str] | None:
    """(request digest, id of what it made) of the request that used this key in the last day."""
    known = select(IdempotencyRow.request_digest, IdempotencyRow.made)
    used = and_(IdempotencyRow.tenant == tenant, IdempotencyRow.key == key)
    lately = IdempotencyRow.created_at >= datetime.now(UTC) - KEPT
    row = session.execute(known.where(used, lately)).one_or_none()
    return (row[0], row[1]) if row else None


def forget_old(session: Session) -> int:
    """Drop keys older than a day; gives how many."""
    return changed(session, delete(IdempotencyRow).where(IdempotencyRow.created_at < datetime.now(UTC) - KEPT))
