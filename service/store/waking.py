"""Which jobs and suites have shown no sign of life for too long, and who of several sweepers wakes each."""

from datetime import UTC, datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from service.domain.lifecycle import JobStatus
from service.store.session import changed, database_now
from service.store.tables import JobRow, SuiteRow, UsageRow

WAKE_SECONDS = 15
"""How long a job or a suite may show no sign of life before the sweeper queues its work again."""

Sleeper = type[JobRow] | type[SuiteRow]


def postpone_wake(session: Session, job_id: str) -> None:
    """Note a sign of life: the sweeper leaves the job alone for another while."""
    alive = update(JobRow).where(JobRow.id == job_id, JobRow.wake_at.is_not(None))
    changed(session, alive.values(wake_at=database_now() + WAKE_SECONDS))


def overdue(session: Session, table: Sleeper, limit: int) -> list[tuple[str, float]]:
    """Those that have shown no sign of life for too long, longest silence first: (id, wake_at)."""
    silent = select(table.id, table.wake_at).where(table.wake_at < database_now())
    rows = session.execute(silent.order_by(table.wake_at).limit(limit))
    return [(row_id, wake_at) for row_id, wake_at in rows if wake_at is not None]


def take_wake(session: Session, table: Sleeper, row_id: str, seen: float) -> bool:
    """Win the right to wake one that was seen as overdue: of several sweepers, one gets True."""
    untouched = update(table).where(table.id == row_id, table.wake_at == seen)
    return changed(session, untouched.values(wake_at=database_now() + WAKE_SECONDS)) == 1


def longest_stall_seconds(session: Session) -> float:
    """How long the running job (or judgement) that has stored nothing for longest has done so; 0 when none runs."""
    began, stored = database_now() - JobRow.running_since, database_now() - func.max(UsageRow.counted_at)
    # What runs is due to be woken some time: that index finds it among all the jobs that have ended.
    running = (JobRow.wake_at >= 0, JobRow.status == JobStatus.RUNNING.value)
    query = select(began, stored).outerjoin(UsageRow, UsageRow.job_id == JobRow.id).where(*running)
    rows = session.execute(query.group_by(JobRow.id))
    return max((min(since for since in row if since is not None) for row in rows), default=0.0)


def longest_wait_seconds(session: Session) -> float:
    """How long ago the oldest job (or judgement) was made that is queued and no worker has begun; 0 if none waits.

    A pause counts: of a job that was paused before it had begun, only the creation is known.
    """
    waiting = (JobRow.wake_at >= 0, JobRow.status == JobStatus.QUEUED.value)
    oldest = session.scalar(select(func.min(JobRow.created_at)).where(*waiting))
    return max((datetime.now(UTC) - oldest).total_seconds(), 0.0) if oldest else 0.0
