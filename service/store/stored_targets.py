"""Targets with a name: made, found, changed, removed."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from service.domain.ids import new_id
from service.domain.lifecycle import FINAL
from service.domain.specs import PluginSpec
from service.errors import ConflictError, NotFoundError
from service.store.paging import Position, newest_first
from service.store.session import changed
from service.store.tables import JobRow, TargetRow


@dataclass(frozen=True, slots=True)
class StoredTarget:
    """A target that jobs may name; its secrets stay in the database."""

    id: str
    tenant: str
    name: str
    target: PluginSpec
    created_at: datetime
    updated_at: datetime


def create(session: Session, tenant: str, name: str, target: PluginSpec, sealed: bytes | None) -> StoredTarget:
    """Store a target.

    Raises:
        ConflictError: the tenant has one of that name.
    """
    now = datetime.now(UTC)
    kept = {"name": target.name, "options": dict(target.options)}
    row = TargetRow(
        id=new_id("target"), tenant=tenant, name=name, target=kept, secrets=sealed, created_at=now, updated_at=now
    )
    session.add(row)
    try:
        session.flush()
    except IntegrityError as error:
        raise _taken(name) from error
    return _stored(row)


def get(session: Session, tenant: str, target_id: str) -> StoredTarget:
    """One target of a tenant.

    Raises:
        NotFoundError: the tenant has no such target.
    """
    row = session.scalar(select(TargetRow).where(TargetRow.id == target_id, TargetRow.tenant == tenant))
    if row is None:
        raise NotFoundError(f"There is no target {target_id}.", code="target_not_found")
    return _stored(row)


def page(session: Session, tenant: str, *, after: Position | None, limit: int) -> list[StoredTarget]:
    """A tenant's targets, newest first, from behind `after` (creation time and id of the last one seen)."""
    query = select(TargetRow).where(TargetRow.tenant == tenant)
    some = newest_first(query, TargetRow.created_at, TargetRow.id, after=after, limit=limit)
    return [_stored(row) for row in session.scalars(some)]


def replace(session: Session, target_id: str, name: str, target: PluginSpec, sealed: bytes | None) -> None:
    """Put another target in its place.

    Raises:
        ConflictError: the tenant has another of that name.
    """
    kept = {"name": target.name, "options": dict(target.options)}
    same = update(TargetRow).where(TargetRow.id == target_id)
    try:
        changed(session, same.values(name=name, target=kept, secrets=sealed, updated_at=datetime.now(UTC)))
    except IntegrityError as error:
        raise _taken(name) from error


def sealed_secrets(session: Session, target_id: str) -> bytes | None:
    """The target's encrypted secrets."""
    return session.scalar(select(TargetRow.secrets).where(TargetRow.id == target_id))


def lock(session: Session, target_id: str) -> None:
    """Keep everybody else from changing or removing the target until the transaction ends."""
    session.execute(select(TargetRow.id).where(TargetRow.id == target_id).with_for_update())


def user(session: Session, target_id: str) -> str | None:
    """The id of an unended job that was submitted with the target."""
    unended = JobRow.status.not_in([status.value for status in FINAL])
    return session.scalar(select(JobRow.id).where(JobRow.target_id == target_id, unended).limit(1))


def remove(session: Session, target_id: str) -> None:
    """Remove a target."""
    changed(session, delete(TargetRow).where(TargetRow.id == target_id))


def _taken(name: str) -> ConflictError:
    return ConflictError(f"There is a target {name!r} already: choose another name.", code="target_name_taken")


def _stored(row: TargetRow) -> StoredTarget:
    return StoredTarget(row.id, row.tenant, row.name, PluginSpec(**row.target), row.created_at, row.updated_at)
