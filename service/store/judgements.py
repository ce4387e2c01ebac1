"""Judgements beside the job whose completions they judge: which there are, and what a retry does to them."""

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from service.domain.jobs import Job
from service.domain.lifecycle import FINAL
from service.store import batches, results, tallies
from service.store.results import Judged
from service.store.session import changed
from service.store.tables import JobRow, ResultRow


def any_unended(session: Session, job_id: str) -> bool:
    """Whether a judgement of the job runs, waits or is paused."""
    unended = exists().where(JobRow.completions_of == job_id, JobRow.status.not_in([status.value for status in FINAL]))
    return bool(session.scalar(select(unended)))


def reopen(session: Session, job: Job) -> bool:
    """Make ready for another try whatever of a completed job (or judgement) ended in an error; says if anything did.

    What judgements of the job made of those results goes too: they will be of other completions.
    """
    if job.completions_of is None:
        for judgement_id in session.scalars(select(JobRow.id).where(JobRow.completions_of == job.id)).all():
            _forget(session, judgement_id, job)
    batches.reopen_errors(session, job.id, job.suite.size, of_judge=job.completions_of is not None)
    results.delete_errors(session, job.id, of_judge=job.completions_of is not None)
    return batches.next_takeable(session, job.id) is not None


def _forget(session: Session, judgement_id: str, job: Job) -> None:
    """Remove a judgement's rows on results of the job that are in error, and open their batches."""
    batches.reopen_errors(session, judgement_id, job.suite.size, errors_of=job.id)
    same_run = (Judged.repeat == ResultRow.repeat, Judged.case_index == ResultRow.case_index)
    in_error = exists().where(Judged.job_id == job.id, Judged.verdict.is_(None), *same_run)
    if changed(session, delete(ResultRow).where(ResultRow.job_id == judgement_id, in_error)):
        tallies.recount(session, judgement_id, job.suite.id)
