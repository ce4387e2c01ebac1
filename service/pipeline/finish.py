"""The ends of a job, each reached once."""

import logging

from service import metrics
from service.domain.jobs import Job, StatusReason
from service.domain.lifecycle import JobStatus
from service.errors import ConflictError
from service.pipeline.services import Services
from service.store import jobs, suites
from service.store.patience import patient

logger = logging.getLogger(__name__)


@patient
def complete(services: Services, job: Job) -> bool:
    """Complete the job if every batch is done; of all who try, one gets True."""
    with services.store.write() as session:
        won = jobs.complete(session, job.id)
    return won and _ended(services, job)


@patient
def fail(services: Services, job: Job, reason: StatusReason) -> bool:
    """End a job that can't be carried out; says whether it was this call that ended it."""
    with services.store.write() as session:
        won = jobs.move(session, job.id, JobStatus.FAILED, reason)
    return won and _ended(services, job)


def cancel(services: Services, *, tenant: str, job_id: str) -> Job:
    """Stop a job for good; what it has so far stays. Repeating it changes nothing.

    Raises:
        NotFoundError: the tenant has no such job.
        ConflictError: the job has ended in another way.
    """
    with services.store.write() as session:
        job = jobs.get(session, tenant, job_id)
        won = jobs.move(session, job_id, JobStatus.CANCELLED, StatusReason("cancelled", "Cancelled on request."))
    if won:
        _ended(services, job)
    elif job.status is not JobStatus.CANCELLED:
        raise ConflictError(f"Job {job_id} has {job.status} and can't be cancelled any more.", code="job_ended")
    with services.store.read() as session:
        return jobs.get(session, tenant, job_id)


def delete(services: Services, *, tenant: str, job_id: str) -> None:
    """Remove an ended job, its results, and its suite if no other job uses it.

    Raises:
        NotFoundError: the tenant has no such job.
        ConflictError: the job is still active.
    """
    with services.store.write() as session:
        job = jobs.get(session, tenant, job_id)
        if not job.status.is_terminal:
            raise ConflictError(f"Job {job_id} is {job.status}: cancel it before deleting it.", code="job_active")
        jobs.delete_job(session, job)
        suites.delete_unused(session, job.suite.id)


def _ended(services: Services, job: Job) -> bool:
    with services.store.read() as session:
        ended = jobs.load(session, job.id)
    if ended and ended.finished_at:
        metrics.JOBS_FINISHED.labels(ended.status.value).inc()
        metrics.JOB_DURATION.observe((ended.finished_at - ended.created_at).total_seconds())
        logger.info("%s %s", ended.id, ended.status)
    return True
