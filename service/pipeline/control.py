"""What a person may do to a job. Repeating a verb whose effect holds changes nothing.

Everything here does the same to a judgement `of` the job of that id.
"""

from sqlalchemy.orm import Session

from service.domain.jobs import Job, StatusReason
from service.domain.lifecycle import JobStatus
from service.domain.specs import Limits
from service.errors import ConflictError
from service.pipeline.finish import ended
from service.pipeline.notify import note_end
from service.pipeline.services import Services
from service.pipeline.wake import wake
from service.store import batches, jobs, judgements, making, suites
from service.store.judgements import reopen

PAUSED = StatusReason("paused", "Paused on request; resume it to go on.")
CANCELLED = StatusReason("cancelled", "Cancelled on request.")


def cancel(services: Services, *, tenant: str, job_id: str, of: str | None = None) -> Job:
    """Stop a job for good; what it has so far stays.

    Raises:
        NotFoundError: the tenant has no such job.
        ConflictError: the job has ended in another way.
    """
    with services.store.write() as session:
        job = jobs.get(session, tenant, job_id, of=of)
        won = jobs.move(session, job_id, JobStatus.CANCELLED, CANCELLED)
        if won:
            note_end(session, job)
    if won:
        ended(services, job)
    now = _now(services, job)
    if not won and now.status is not JobStatus.CANCELLED:
        raise _conflict(job, "ended", f"has {now.status} and can't be cancelled any more.")
    return now


def pause(services: Services, *, tenant: str, job_id: str, of: str | None = None) -> Job:
    """Send no further calls. Those under way may end within a few seconds; what is cut off is asked again.

    Raises:
        NotFoundError: the tenant has no such job.
        ConflictError: the job has ended.
    """
    with services.store.write() as session:
        job = jobs.get(session, tenant, job_id, of=of)
        won = jobs.move(session, job_id, JobStatus.PAUSED, PAUSED)
    now = _now(services, job)
    if not won and now.status is not JobStatus.PAUSED:
        raise _conflict(job, "ended", f"has {now.status}: there is nothing to pause.")
    return now


def resume(services: Services, *, tenant: str, job_id: str, limits: Limits | None = None, of: str | None = None) -> Job:
    """Go on with a paused job, under other limits if any are given.

    Raises:
        NotFoundError: the tenant has no such job.
        ConflictError: the job has ended.
    """
    with services.store.write() as session:
        job = jobs.get(session, tenant, job_id, of=of)
        if limits:
            jobs.change_limits(session, job_id, limits)
        onward = JobStatus.RUNNING if batches.any_planned(session, job_id) else JobStatus.QUEUED
        won = jobs.move(session, job_id, onward, only_from={JobStatus.PAUSED})
        if won and onward is JobStatus.QUEUED:
            making.begin_anew(session, job.suite.id)
        if not won and not (now := _now(services, job)).status.is_active:
            raise _conflict(job, "ended", f"has {now.status}: only a paused {job.kind} can be resumed.")
    return _on(services, job)


def retry(services: Services, *, tenant: str, job_id: str, of: str | None = None) -> Job:
    """Run again what ended in an error in a completed job, and nothing else.

    Of a judgement, judge again what its judge failed on, and what has come since by a retry of the job.

    Raises:
        NotFoundError: the tenant has no such job.
        ConflictError: the job has not completed, or has failed or been cancelled, or a judgement of it has not ended.
    """
    with services.store.write() as session:
        jobs.lock(session, of or job_id)
        job = jobs.get(session, tenant, job_id, of=of)
        if job.status is JobStatus.COMPLETED:
            _refuse_while_completions_change(session, job)
            if reopen(session, job):
                jobs.move(session, job_id, JobStatus.RUNNING, only_from={JobStatus.COMPLETED})
    if job.status not in {JobStatus.COMPLETED, JobStatus.RUNNING}:
        raise _conflict(job, "not_completed", f"is {job.status}: retry is for a completed {job.kind}.")
    return _on(services, job)


def delete(services: Services, *, tenant: str, job_id: str, of: str | None = None) -> None:
    """Remove an ended job, its results and judgements, and its suite if no other job uses it.

    Raises:
        NotFoundError: the tenant has no such job.
        ConflictError: the job has not ended.
    """
    with services.store.write() as session:
        jobs.lock(session, job_id)
        job = jobs.get(session, tenant, job_id, of=of)
        if not job.status.is_final:
            raise _conflict(job, "active", f"is {job.status}: cancel it before deleting it.")
        jobs.delete_job(session, job)
        suites.delete_unused(session, job.suite.id)


def delete_suite(services: Services, *, tenant: str, suite_id: str) -> None:
    """Remove a suite with its cases. If it is being made, whoever makes it learns so and stops.

    Raises:
        NotFoundError: the tenant has no such suite.
        ConflictError: a job uses it.
    """
    with services.store.write() as session:
        suite = suites.get(session, tenant, suite_id)
        suites.lock(session, suite_id)
        if user := suites.user(session, suite_id):
            message = f"Job {user} runs on suite {suite.id}, and perhaps others do: delete them first."
            raise ConflictError(message, code="suite_in_use")
        suites.remove(session, suite_id)


def _refuse_while_completions_change(session: Session, job: Job) -> None:
    """A judgement runs on what its job has stored, so that only one of the two runs at a time."""
    if job.completions_of is None:
        if judgements.any_unended(session, job.id):
            message = f"A judgement of {job.id} has not ended: wait for it or cancel it, then retry the job."
            raise ConflictError(message, code="judgement_active")
    elif (judged := jobs.load(session, job.completions_of)) and judged.status is not JobStatus.COMPLETED:
        raise _conflict(judged, "not_completed", f"is {judged.status}: wait for it, then retry the judgement.")


def _conflict(job: Job, code: str, message: str) -> ConflictError:
    return ConflictError(f"{job.kind.title()} {job.id} {message}", code=f"{job.kind}_{code}")


def _now(services: Services, job: Job) -> Job:
    with services.store.read() as session:
        return jobs.get(session, job.tenant, job.id, of=job.completions_of)


def _on(services: Services, job: Job) -> Job:
    """The job as it is now, its next task queued."""
    job = _now(services, job)
    wake(services, job)
    return job
