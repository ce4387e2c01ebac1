"""The ends of a job, each reached once, and the halt from which a person may resume it."""

import logging
from datetime import timedelta

from service import metrics
from service.domain.jobs import Job, StatusReason
from service.domain.lifecycle import JobStatus
from service.failpoints import failpoint
from service.pipeline.notify import note_end, queue_deliveries
from service.pipeline.services import Services
from service.store import jobs
from service.store.patience import patient

logger = logging.getLogger(__name__)


@patient
def complete(services: Services, job: Job) -> bool:
    """Complete the job if every batch is done; of all who try, one gets True."""
    with services.store.write() as session:
        won = jobs.complete(session, job.id)
        if won:
            note_end(session, job)
        failpoint("completing")
    failpoint("completed")
    return won and ended(services, job)


@patient
def fail(services: Services, job: Job, reason: StatusReason) -> bool:
    """End a job that can't be carried out; says whether it was this call that ended it."""
    with services.store.write() as session:
        won = jobs.move(session, job.id, JobStatus.FAILED, reason)
        if won:
            note_end(session, job)
    return won and ended(services, job)


@patient
def halt(services: Services, job: Job, reason: StatusReason) -> bool:
    """Pause a job that can't go on until somebody has mended something; says whether it was this call that did."""
    with services.store.write() as session:
        won = jobs.move(session, job.id, JobStatus.PAUSED, reason)
    if won:
        logger.warning("%s paused: %s", job.id, reason.code)
    return won


def ended(services: Services, job: Job) -> bool:
    """Count and log an end that was just reached, and have webhooks sent; always True.

    A judgement is no job to be counted.
    """
    with services.store.read() as session:
        ended = jobs.load(session, job.id)
    if ended and ended.finished_at:
        logger.info("%s %s", ended.id, ended.status)
        if not ended.completions_of:
            _measure(ended.status, ended.finished_at - ended.created_at)
        if ended.webhook:
            queue_deliveries(services)
    return True


def _measure(status: JobStatus, took: timedelta) -> None:
    metrics.JOBS_FINISHED.labels(status.value).inc()
    metrics.JOB_DURATION.observe(max(0.0, took.total_seconds()))  # by the clocks of two machines, which may not agree
