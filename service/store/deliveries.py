"""Deliveries: written with the end of their job, claimed under a lease and a fencing token, kept to be looked at."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, func, insert, or_, select, update
from sqlalchemy.orm import Session, defer

from service.domain.deliveries import AttemptResult, Delivery, DeliveryError, DeliveryState
from service.domain.ids import new_id
from service.domain.jobs import Job
from service.domain.webhooks import event, event_type
from service.store import jobs, tallies
from service.store.paging import Position, newest_first
from service.store.session import changed, database_now
from service.store.tables import DeliveryRow, JobRow

LEASE_SECONDS = 60
"""How long a claim holds: longer than an attempt may take."""

LONGEST_DUE = (DeliveryRow.due_at, DeliveryRow.id)


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery that was claimed, with all that it takes to send it."""

    id: str
    job: Job
    body: str
    attempt: int
    """Of this claim, counted from 1."""
    sealed: bytes | None
    """The job's secrets."""


def add(session: Session, job: Job) -> None:
    """Have a job's webhook told of its end, in the transaction that has just brought it there."""
    session.expire_all()  # what was read of the job before it ended
    ended = jobs.get(session, job.tenant, job.id)
    session.execute(
        insert(DeliveryRow).values(
            id=new_id("msg"),
            job_id=job.id,
            type=event_type(ended),
            body=event(ended, tallies.read(session, job.id)),
            created_at=datetime.now(UTC),
            state=DeliveryState.WAITING.value,
            due_at=database_now(),
            attempts=0,
        )
    )


def next_due(session: Session) -> str | None:
    """What names the attempt that is due longest; None when none is."""
    query = select(DeliveryRow.id, DeliveryRow.attempts).where(_due()).order_by(*LONGEST_DUE).limit(1)
    found = session.execute(query).one_or_none()
    return f"{found[0]}-{found[1] + 1}" if found else None


def claim(session: Session, token: str, limit: int) -> list[Due]:
    """Claim up to `limit` deliveries that are due, longest due first. What another worker takes meanwhile is left."""
    longest = select(DeliveryRow.id).where(_due()).order_by(*LONGEST_DUE).limit(limit)
    lease = {"claim": token, "due_at": database_now() + LEASE_SECONDS, "attempts": DeliveryRow.attempts + 1}
    taken = [
        delivery_id
        for delivery_id in session.scalars(longest).all()
        if changed(session, update(DeliveryRow).where(DeliveryRow.id == delivery_id, _due()).values(lease))
    ]
    return _read(session, taken)


def _read(session: Session, ids: Sequence[str]) -> list[Due]:
    query = select(DeliveryRow, JobRow.secrets).join(JobRow, JobRow.id == DeliveryRow.job_id)
    rows = session.execute(query.where(DeliveryRow.id.in_(ids)))
    found = ((row, jobs.load(session, row.job_id), sealed) for row, sealed in rows.all())
    return [Due(row.id, job, row.body, row.attempts, sealed) for row, job, sealed in found if job]


def attempt_of(session: Session, delivery_id: str, token: str) -> int | None:
    """Which attempt is under way, by what stands there now; None when the claim is another's. Held until settled."""
    held = select(DeliveryRow.attempts).where(DeliveryRow.id == delivery_id, DeliveryRow.claim == token)
    return session.scalar(held.with_for_update())


def settle(
    session: Session,
    delivery_id: str,
    token: str,
    result: AttemptResult,
    *,
    wait: float,
    status: int | None,
    error: DeliveryError | None,
) -> bool:
    """Note what came of an attempt; `wait`: seconds to the next, if there is one.

    False when the claim is another's by now, or the job was deleted: then nothing is noted.
    """
    held = update(DeliveryRow).where(DeliveryRow.id == delivery_id, DeliveryRow.claim == token)
    noted = held.values(
        state=result.state.value,
        claim=None,
        due_at=database_now() + wait if result.state is DeliveryState.WAITING else None,
        last_status=status,
        last_error=error.value if error else None,
    )
    return changed(session, noted) == 1


def send_again(session: Session, delivery_id: str) -> None:
    """Make a delivery due now, its attempts counted from the start: one that is under way is then the first."""
    # Locked first: an attempt that is just being settled would be neither idle nor under way.
    session.execute(select(DeliveryRow.id).where(DeliveryRow.id == delivery_id).with_for_update())
    this = update(DeliveryRow).where(DeliveryRow.id == delivery_id)
    idle = or_(DeliveryRow.claim.is_(None), DeliveryRow.due_at <= database_now())
    anew = {"state": DeliveryState.WAITING.value, "claim": None, "due_at": database_now(), "attempts": 0}
    if not changed(session, this.where(idle).values(anew)):
        changed(session, this.values(attempts=1))


def page(session: Session, job_id: str, *, after: Position | None, limit: int) -> list[Delivery]:
    """A job's deliveries, newest first, from behind `after` (creation time and id of the last one seen)."""
    query = select(DeliveryRow).options(defer(DeliveryRow.body)).where(DeliveryRow.job_id == job_id)
    some = newest_first(query, DeliveryRow.created_at, DeliveryRow.id, after=after, limit=limit)
    return [_delivery(row) for row in session.scalars(some)]


def newest(session: Session, job_ids: Sequence[str]) -> dict[str, Delivery]:
    """The newest delivery of each of the jobs that has one, in one query at most."""
    if not job_ids:
        return {}
    age = func.row_number().over(
        partition_by=DeliveryRow.job_id, order_by=(DeliveryRow.created_at.desc(), DeliveryRow.id.desc())
    )
    of_jobs = select(DeliveryRow.id, age.label("age")).where(DeliveryRow.job_id.in_(job_ids)).subquery()
    query = select(DeliveryRow).options(defer(DeliveryRow.body)).join(of_jobs, of_jobs.c.id == DeliveryRow.id)
    return {row.job_id: _delivery(row) for row in session.scalars(query.where(of_jobs.c.age == 1))}


def _due() -> ColumnElement[bool]:
    return DeliveryRow.due_at <= database_now()


def _delivery(row: DeliveryRow) -> Delivery:
    waits = row.due_at is not None and row.claim is None
    return Delivery(
        id=row.id,
        job_id=row.job_id,
        type=row.type,
        created_at=row.created_at,
        state=DeliveryState(row.state),
        attempts=row.attempts,
        next_attempt_at=datetime.fromtimestamp(row.due_at, UTC) if waits and row.due_at else None,
        last_status=row.last_status,
        last_error=DeliveryError(row.last_error) if row.last_error else None,
    )
