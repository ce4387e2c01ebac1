"""Which jobs and suites have shown no sign of life for too long, and who of several sweepers wakes each."""

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from service.store.session import changed, database_now
from service.store.tables import JobRow, SuiteRow

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
