"""The claim under which one worker, and no other, makes a suite; and how the making ends."""

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import ColumnElement, Update, and_, case, exists, func, or_, select, update
from sqlalchemy.orm import Session

from service.domain.jobs import StatusReason, SuiteStatus
from service.domain.lifecycle import JobStatus
from service.errors import StaleClaimError
from service.store.session import changed, database_now
from service.store.tables import JobRow, SuiteRow
from service.store.waking import WAKE_SECONDS

LEASE_SECONDS = 15
"""How long a claim holds without being renewed."""

WAITING = {JobStatus.QUEUED.value, JobStatus.GENERATING.value}
"""Jobs that may be run once their suite is made."""

ENDED = {"claim": None, "leased_until": None, "wake_at": None, "secrets": None}
"""Nothing is made any more: the generator's secrets are not needed again."""


@dataclass(frozen=True, slots=True)
class Made:
    """What a suite holds in the end."""

    size: int
    duplicates: int
    """Cases whose prompt another before them has."""
    digest: str


def claim(session: Session, suite_id: str, token: str) -> int | None:
    """Take on the making of a suite: gives the number of this attempt, or None when it isn't to be had."""
    taken = update(SuiteRow).where(SuiteRow.id == suite_id, _unmade(), _free())
    if not changed(session, taken.values(claim=token, attempts=SuiteRow.attempts + 1, **_lease())):
        return None
    return session.scalar(select(SuiteRow.attempts).where(SuiteRow.id == suite_id))


def renew(session: Session, suite_id: str, token: str) -> None:
    """Keep the claim for another lease; the first statement of every write made under it.

    Raises:
        StaleClaimError: the claim is another's by now, or nobody wants the suite any more.
    """
    if not changed(session, _held(suite_id, token).where(_unmade()).values(_lease())):
        raise StaleClaimError(f"the claim on making {suite_id} has passed to another worker, or it is not wanted now")


def hand_back(session: Session, suite_id: str, token: str) -> None:
    """Give up a claim that may be held no longer; that attempt does not count."""
    changed(session, _held(suite_id, token).values(claim=None, leased_until=None, attempts=SuiteRow.attempts - 1))


def begin_anew(session: Session, suite_id: str) -> None:
    """Count the attempts at a suite from the start: that of who is making it, who keeps the claim, as the first."""
    unmade = update(SuiteRow).where(SuiteRow.id == suite_id, SuiteRow.status == SuiteStatus.GENERATING.value)
    if not changed(session, unmade.where(_free()).values(claim=None, leased_until=None, attempts=0)):
        changed(session, unmade.values(attempts=1))


def is_claimed(session: Session, suite_id: str) -> bool:
    """Whether a worker is making the suite just now."""
    live = exists().where(SuiteRow.id == suite_id, SuiteRow.leased_until >= database_now())
    return bool(session.scalar(select(live)))


def note_progress(session: Session, suite_id: str) -> None:
    """Count this attempt as the first: only those that bring nothing are worth giving up for, and cases are finite."""
    changed(session, update(SuiteRow).where(SuiteRow.id == suite_id).values(attempts=1))


def note_effort(session: Session, suite_id: str, effort: dict[str, Any]) -> None:
    """Store what making the suite has cost so far, as Effort.to_json gives it."""
    changed(session, update(SuiteRow).where(SuiteRow.id == suite_id).values(effort=effort))


def freeze(session: Session, suite_id: str, made: Made) -> None:
    """Mark a suite as ready: from now on it never changes."""
    frozen = update(SuiteRow).where(SuiteRow.id == suite_id)
    changed(session, frozen.values(status=SuiteStatus.READY.value, **asdict(made), **ENDED))


def fail(session: Session, suite_id: str, reason: StatusReason) -> None:
    """End the making of a suite that can't be made."""
    unmade = update(SuiteRow).where(SuiteRow.id == suite_id, SuiteRow.status == SuiteStatus.GENERATING.value)
    said = {"reason_code": reason.code, "reason_message": reason.message}
    changed(session, unmade.values(status=SuiteStatus.FAILED.value, **said, **ENDED))


def count_others(session: Session, suite_id: str) -> int:
    """How many other suites are being made just now."""
    live = (SuiteRow.status == SuiteStatus.GENERATING.value, SuiteRow.leased_until >= database_now())
    return session.scalar(select(func.count()).select_from(SuiteRow).where(SuiteRow.id != suite_id, *live)) or 0


def waiting_jobs(session: Session, suite_id: str) -> list[str]:
    """The ids of the jobs that wait for the suite."""
    waiting = select(JobRow.id).where(JobRow.suite_id == suite_id, JobRow.status.in_(WAITING))
    return list(session.scalars(waiting.order_by(JobRow.id)))


def _unmade() -> ColumnElement[bool]:
    """Not made yet, and still wanted: for its own sake, or by a job that is neither paused nor ended."""
    waited_for = exists().where(JobRow.suite_id == SuiteRow.id, JobRow.status.in_(WAITING))
    return and_(SuiteRow.status == SuiteStatus.GENERATING.value, or_(SuiteRow.named, waited_for))


def _free() -> ColumnElement[bool]:
    return or_(SuiteRow.claim.is_(None), SuiteRow.leased_until < database_now())


def _held(suite_id: str, token: str) -> Update:
    return update(SuiteRow).where(SuiteRow.id == suite_id, SuiteRow.claim == token)


def _lease() -> dict[str, Any]:
    """Of a suite that jobs alone wait for, the jobs themselves are woken."""
    now = database_now()
    return {"leased_until": now + LEASE_SECONDS, "wake_at": case((SuiteRow.named, now + WAKE_SECONDS), else_=None)}
