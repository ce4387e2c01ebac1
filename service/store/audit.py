"""The audit log: who did what. Rows are added and read, nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.store.tables import AuditRow

MAX_ID = 64
"""Characters kept of an object's id, which a client may make up."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing done or refused. No body and no secret is ever part of it."""

    tenant: str
    operation: str
    """An operation's id of the API, or the words of a command."""
    key_id: str | None = None
    """None for a command given where the database is."""
    object_id: str | None = None
    status: int = 0
    """The HTTP status answered; 0 for a command."""
    request_id: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    """Facts of a command, as JSON: who gave it, a key's role and expiry, a quota's values."""
    number: int = 0
    """Its place in the log; given by the log."""
    created_at: datetime | None = None
    """Given by the log."""


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """Which entries to list; None means any."""

    key_id: str | None = None
    operation: str | None = None
    object_id: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None


def add(session: Session, entry: Entry) -> Entry:
    """Write an entry; gives it as the log holds it."""
    row = AuditRow(
        created_at=datetime.now(UTC),
        tenant=entry.tenant,
        key_id=entry.key_id,
        operation=entry.operation,
        object_id=entry.object_id and entry.object_id[:MAX_ID],
        status=entry.status,
        request_id=entry.request_id,
        details=dict(entry.details),
    )
    session.add(row)
    session.flush()
    return _entry(row)


def page(session: Session, tenant: str, which: EntryFilter, *, after: int | None, limit: int) -> list[Entry]:
    """A tenant's entries, newest first, from behind the number `after`."""
    query = select(AuditRow).where(AuditRow.tenant == tenant)
    for column in (AuditRow.key_id, AuditRow.operation, AuditRow.object_id):
        wanted = getattr(which, column.key)
        if wanted is not None:
            query = query.where(column == wanted)
    if which.created_after:
        query = query.where(AuditRow.created_at >= which.created_after)
    if which.created_before:
        query = query.where(AuditRow.created_at < which.created_before)
    if after is not None:
        query = query.where(AuditRow.id < after)
    return [_entry(row) for row in session.scalars(query.order_by(AuditRow.id.desc()).limit(limit))]


def _entry(row: AuditRow) -> Entry:
    kept = Entry(row.tenant, row.operation, row.key_id, row.object_id, row.status, row.request_id, row.details)
    return replace(kept, number=row.id, created_at=row.created_at)
