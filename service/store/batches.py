"""Batches: claimed under a lease and a fencing token, so that each is run by one worker at a time."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, exists, func, insert, select, update
from sqlalchemy.orm import Session

from service.domain.lifecycle import JobStatus
from service.domain.verdicts import Disposition
from service.errors import StaleClaimError
from service.store.session import changed, database_now
from service.store.tables import BatchRow, JobRow, ResultRow
from service.store.waking import postpone_wake

LEASE_SECONDS = 15
"""How long a claim holds without being renewed."""

MAX_ATTEMPTS = 3
"""A batch that has lost its worker this often is given up: its cases most likely are what kills the worker."""

OPEN, CLAIMED, DONE = "open", "claimed", "done"
TAKES_RESULTS = {JobStatus.RUNNING.value, JobStatus.PAUSED.value}


@dataclass(frozen=True, slots=True)
class Batch:
    """Runs `first` to `last` (both included) of a job; a run is case index + suite size × repeat."""

    job_id: str
    number: int
    first: int
    last: int


def create(session: Session, job_id: str, slices: Iterable[tuple[int, int]]) -> None:
    """Store a job's batches, numbered from 0, from their (first, last) runs."""
    rows = [
        {"job_id": job_id, "number": number, "first": first, "last": last, "status": OPEN, "attempts": 0}
        for number, (first, last) in enumerate(slices)
    ]
    session.execute(insert(BatchRow), rows)


def claim_next(session: Session, job_id: str, token: str, known: Collection[int] = ()) -> Batch | None:
    """Claim the lowest open batch or else the lowest whose lease has lapsed; None when there is none to be had now.

    Open ones first: after an outage of the database all leases have lapsed, but whoever holds answers is about to come
    back for them. `known`: numbers of batches claimed under `token` before. Whether they are still held or have passed
    to another worker meanwhile, calls for them may be under way, so that they are no new work for this one. What is
    held and not known was claimed by a commit that was not answered.
    """
    unknown = and_(BatchRow.job_id == job_id, BatchRow.number.not_in(known))
    if row := session.scalar(select(BatchRow).where(unknown, BatchRow.claim == token)):
        return _batch(row)
    return _claim(session, token, and_(unknown, BatchRow.status == OPEN)) or _claim(
        session, token, and_(unknown, _lapsed())
    )


def next_takeable(session: Session, job_id: str) -> int | None:
    """The number of the batch, of those that nobody works on, that goes first, be it to be claimed or written off."""
    lowest = select(func.min(BatchRow.number)).where(BatchRow.job_id == job_id)
    open_one, lapsed = lowest.where(BatchRow.status == OPEN), lowest.where(_lapsed())
    first: int | None = session.scalar(select(func.coalesce(open_one.scalar_subquery(), lapsed.scalar_subquery())))
    return first


def count_claimants(session: Session, job_id: str) -> int:
    """How many workers hold a live claim on batches of the job."""
    live = and_(BatchRow.status == CLAIMED, BatchRow.leased_until >= database_now())
    return session.scalar(select(func.count(BatchRow.claim.distinct())).where(BatchRow.job_id == job_id, live)) or 0


def renew(session: Session, job_id: str, token: str) -> JobStatus | None:
    """Keep all batches held under `token` for another lease; gives the job's state, None if it was deleted."""
    postpone_wake(session, job_id)
    held = update(BatchRow).where(BatchRow.job_id == job_id, BatchRow.claim == token, BatchRow.status == CLAIMED)
    changed(session, held.values(leased_until=database_now() + LEASE_SECONDS))
    status = session.scalar(select(JobRow.status).where(JobRow.id == job_id))
    return JobStatus(status) if status else None


def fence(session: Session, batch: Batch, token: str) -> bool:
    """Make sure, until the transaction ends, that the batch is still held under `token` and its job was not stopped.

    A paused job still takes the results of calls that were under way. False means that nothing may be written for the
    batch: it has passed to another worker or is done, maybe by an earlier try of ours whose commit was not answered.

    Raises:
        StaleClaimError: the job was stopped or deleted.
    """
    status = select(JobRow.status).where(JobRow.id == batch.job_id).with_for_update(read=True)
    if session.scalar(status) not in TAKES_RESULTS:
        raise StaleClaimError(f"{batch.job_id} was stopped")
    held = update(BatchRow).where(_is(batch), BatchRow.claim == token, BatchRow.status == CLAIMED)
    return changed(session, held.values(leased_until=database_now() + LEASE_SECONDS)) > 0


def close(session: Session, batch: Batch) -> None:
    """Mark a fenced batch, all of whose runs have a result, as done."""
    changed(session, update(BatchRow).where(_is(batch)).values(status=DONE, claim=None, leased_until=None))


def stored_runs(session: Session, batch: Batch, suite_size: int) -> set[int]:
    """The runs of a batch that have a result. A batch lies within one repeat, so that this reads its rows alone."""
    repeat, first = divmod(batch.first, suite_size)
    last = batch.last - repeat * suite_size
    of_batch = (ResultRow.job_id == batch.job_id, ResultRow.repeat == repeat, ResultRow.case_index.between(first, last))
    return {repeat * suite_size + index for index in session.scalars(select(ResultRow.case_index).where(*of_batch))}


def hand_back(session: Session, job_id: str, token: str) -> int:
    """Open again whatever is still held under `token`, and say how many; the attempt does not count against them."""
    held = update(BatchRow).where(BatchRow.job_id == job_id, BatchRow.claim == token, BatchRow.status == CLAIMED)
    return changed(session, held.values(status=OPEN, claim=None, leased_until=None, attempts=BatchRow.attempts - 1))


def reopen_errors(
    session: Session, job_id: str, suite_size: int, *, errors_of: str | None = None, of_judge: bool = False
) -> int:
    """Open the finished batches that hold results in error, for another try; gives how many.

    `errors_of`: the errors of that job count instead. `of_judge`: only a judge's errors count.
    """
    run = ResultRow.case_index + suite_size * ResultRow.repeat
    in_error = exists().where(
        ResultRow.job_id == (errors_of or job_id),
        ResultRow.verdict.is_(None),
        *([ResultRow.disposition != Disposition.ERROR.value] if of_judge else []),
        run.between(BatchRow.first, BatchRow.last),
    )
    stale = update(BatchRow).where(BatchRow.job_id == job_id, BatchRow.status == DONE, in_error)
    return changed(session, stale.values(status=OPEN, claim=None, leased_until=None, attempts=0))


def any_planned(session: Session, job_id: str) -> bool:
    """Whether the job has been cut into batches."""
    return bool(session.scalar(select(exists().where(BatchRow.job_id == job_id))))


def take_exhausted(session: Session, job_id: str, token: str) -> list[Batch]:
    """Claim the batches that have lost their worker too often, to write them off."""
    lost = and_(BatchRow.job_id == job_id, _lapsed(), BatchRow.attempts >= MAX_ATTEMPTS)
    rows = session.scalars(select(BatchRow).where(lost)).all()
    lease = {"claim": token, "leased_until": database_now() + LEASE_SECONDS}
    return [
        _batch(row)
        for row in rows
        if changed(session, update(BatchRow).where(lost, BatchRow.number == row.number).values(lease))
    ]


def _claim(session: Session, token: str, which: ColumnElement[bool]) -> Batch | None:
    claimable = and_(which, BatchRow.attempts < MAX_ATTEMPTS)
    lowest = select(BatchRow).where(claimable).order_by(BatchRow.number).limit(1)
    while row := session.scalar(lowest.execution_options(populate_existing=True)):
        taken = update(BatchRow).where(claimable, BatchRow.number == row.number)
        lease = {"status": CLAIMED, "claim": token, "leased_until": database_now() + LEASE_SECONDS}
        if changed(session, taken.values(attempts=BatchRow.attempts + 1, **lease)):
            return _batch(row)
    return None


def _is(batch: Batch) -> ColumnElement[bool]:
    return and_(BatchRow.job_id == batch.job_id, BatchRow.number == batch.number)


def _lapsed() -> ColumnElement[bool]:
    return and_(BatchRow.status == CLAIMED, BatchRow.leased_until < database_now())


def _batch(row: BatchRow) -> Batch:
    return Batch(row.job_id, row.number, row.first, row.last)
