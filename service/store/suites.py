"""Suites: made, found, listed, removed."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from sqlalchemy import delete, exists, or_, select, update
from sqlalchemy.orm import Session

from service.domain.effort import Effort
from service.domain.ids import new_id
from service.domain.jobs import StatusReason, Suite, SuiteStatus
from service.domain.specs import PluginSpec
from service.domain.uploads import Leavings
from service.errors import NotFoundError
from service.store import cases
from service.store.paging import Position, newest_first
from service.store.session import changed, database_now
from service.store.tables import JobRow, SuiteRow
from service.store.waking import WAKE_SECONDS


@dataclass(frozen=True, slots=True)
class NewSuite:
    """A suite still to be made; `size` is what it is to have."""

    size: int
    generator: PluginSpec | None = None
    name: str | None = None
    named: bool = False
    sealed: bytes | None = None
    """The generator's secrets, encrypted."""
    traceparent: str | None = None
    """The span of the request that asked for it as such."""


def create(session: Session, tenant: str, new: NewSuite) -> Suite:
    """Store a suite whose cases are still to come; one of its own is due to be woken should its task get lost."""
    row = SuiteRow(
        id=new_id("suite"),
        tenant=tenant,
        name=new.name,
        named=new.named,
        status=SuiteStatus.GENERATING.value,
        size=new.size,
        generator=new.generator.name if new.generator else None,
        options=dict(new.generator.options) if new.generator else {},
        secrets=new.sealed,
        traceparent=new.traceparent,
        effort=Effort().to_json(),
        duplicates=0,
        attempts=0,
        created_at=datetime.now(UTC),
        wake_at=database_now() + WAKE_SECONDS if new.named else None,
    )
    session.add(row)
    session.flush()
    return to_suite(row)


def get(session: Session, tenant: str, suite_id: str) -> Suite:
    """One suite of a tenant.

    Raises:
        NotFoundError: the tenant has no such suite.
    """
    row = session.scalar(select(SuiteRow).where(SuiteRow.id == suite_id, SuiteRow.tenant == tenant))
    if row is None:
        raise NotFoundError(f"There is no suite {suite_id}.", code="suite_not_found")
    return to_suite(row)


def load(session: Session, suite_id: str) -> Suite | None:
    """A suite for the workers, whoever's it is; None when it has been deleted."""
    row = session.get(SuiteRow, suite_id)
    return to_suite(row) if row else None


def page(
    session: Session, tenant: str, status: SuiteStatus | None, *, after: Position | None, limit: int
) -> list[Suite]:
    """A tenant's named suites, newest first, from behind `after` (creation time and id of the last one seen)."""
    query = select(SuiteRow).where(SuiteRow.tenant == tenant, SuiteRow.named)
    if status:
        query = query.where(SuiteRow.status == status.value)
    some = newest_first(query, SuiteRow.created_at, SuiteRow.id, after=after, limit=limit)
    return [to_suite(row) for row in session.scalars(some)]


def sealed_secrets(session: Session, suite_id: str) -> bytes | None:
    """The generator's encrypted secrets."""
    return session.scalar(select(SuiteRow.secrets).where(SuiteRow.id == suite_id))


def lock(session: Session, suite_id: str) -> None:
    """Hold the suite until the transaction ends, so that nobody removes it, changes it or comes to refer to it."""
    session.scalar(select(SuiteRow.id).where(SuiteRow.id == suite_id).with_for_update())


def keep(session: Session, suite_id: str) -> None:
    """Let nobody remove the suite until the transaction ends, in which something will refer to it.

    Held as a foreign key holds it, so that others who come to refer to it, or change it, need not wait.
    """
    session.scalar(select(SuiteRow.id).where(SuiteRow.id == suite_id).with_for_update(read=True, key_share=True))


def user(session: Session, suite_id: str) -> str | None:
    """The id of a job that refers to the suite."""
    return session.scalar(select(JobRow.id).where(JobRow.suite_id == suite_id).limit(1))


def delete_unused(session: Session, suite_id: str) -> None:
    """Remove a suite and its cases unless it stands for itself or a job still refers to it.

    Locked first, so that of the last two jobs, deleted at once, one sees that the other has gone.
    """
    lock(session, suite_id)
    kept = or_(SuiteRow.named, exists().where(JobRow.suite_id == SuiteRow.id))
    if not session.scalar(select(exists().where(SuiteRow.id == suite_id, kept))):
        remove(session, suite_id)


def finish_upload(session: Session, suite_id: str, leavings: Leavings) -> None:
    """Let an upload, hidden so far, be seen."""
    shown = update(SuiteRow).where(SuiteRow.id == suite_id)
    changed(session, shown.values(named=True, upload=asdict(leavings)))


def drop_upload(session: Session, suite_id: str) -> None:
    """Remove an upload that was broken off; one that can be seen is complete, and stays."""
    if session.scalar(select(SuiteRow.id).where(SuiteRow.id == suite_id, ~SuiteRow.named).with_for_update()):
        remove(session, suite_id)


def delete_abandoned(session: Session, before: datetime) -> int:
    """Remove the uploads that were broken off before that time: suites that nobody could see; gives how many."""
    unmade = SuiteRow.status == SuiteStatus.GENERATING.value
    unseen = select(SuiteRow.id).where(unmade, SuiteRow.created_at < before, ~SuiteRow.named)
    abandoned = unseen.where(~exists().where(JobRow.suite_id == SuiteRow.id)).limit(10)
    ids = list(session.scalars(abandoned))
    for suite_id in ids:
        remove(session, suite_id)
    return len(ids)


def remove(session: Session, suite_id: str) -> None:
    """Remove a suite and its cases."""
    cases.clear(session, suite_id)
    changed(session, delete(SuiteRow).where(SuiteRow.id == suite_id))


def to_suite(row: SuiteRow) -> Suite:
    """The row as the rest of the service sees it."""
    return Suite(
        id=row.id,
        tenant=row.tenant,
        name=row.name,
        status=SuiteStatus(row.status),
        status_reason=StatusReason(row.reason_code, row.reason_message or "") if row.reason_code else None,
        size=row.size,
        digest=row.digest,
        generator=PluginSpec(row.generator, row.options) if row.generator else None,
        effort=Effort.from_json(row.effort),
        duplicates=row.duplicates,
        upload=Leavings(**row.upload) if row.upload else None,
        created_at=row.created_at,
        traceparent=row.traceparent,
    )
