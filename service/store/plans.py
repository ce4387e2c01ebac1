"""The claim under which one worker, and no other, fills a job's suite and cuts it into batches."""

from sqlalchemy import and_, case, or_, select, update
from sqlalchemy.orm import Session

from service.domain.lifecycle import JobStatus
from service.errors import StaleClaimError
from service.store.jobs import WAKE_SECONDS
from service.store.session import changed, database_now
from service.store.tables import JobRow

LEASE_SECONDS = 15
"""How long a claim holds without being renewed."""


def claim(session: Session, job_id: str, token: str) -> int | None:
    """Take on the planning of a job: gives the number of this attempt, or None when it isn't to be had.

    Attempts are counted since the job was queued: having been paused in the middle is no failure.
    """
    fresh = JobRow.status == JobStatus.QUEUED.value
    lapsed = and_(JobRow.status == JobStatus.GENERATING.value, JobRow.plan_leased_until < database_now())
    taken = changed(
        session,
        update(JobRow)
        .where(JobRow.id == job_id, or_(fresh, lapsed))
        .values(
            status=JobStatus.GENERATING.value,
            plan_claim=token,
            plan_leased_until=database_now() + LEASE_SECONDS,
            plan_attempts=case((fresh, 1), else_=JobRow.plan_attempts + 1),
            wake_at=database_now() + WAKE_SECONDS,
        ),
    )
    return session.scalar(select(JobRow.plan_attempts).where(JobRow.id == job_id)) if taken else None


def renew(session: Session, job_id: str, token: str) -> None:
    """Keep the claim for another lease; the first statement of every write made under it.

    Raises:
        StaleClaimError: the claim is another's by now, or the job has been stopped.
    """
    held = update(JobRow).where(
        JobRow.id == job_id, JobRow.plan_claim == token, JobRow.status == JobStatus.GENERATING.value
    )
    lease = {"plan_leased_until": database_now() + LEASE_SECONDS, "wake_at": database_now() + WAKE_SECONDS}
    if not changed(session, held.values(lease)):
        raise StaleClaimError(f"the claim on planning {job_id} has passed to another worker, or the job was stopped")
