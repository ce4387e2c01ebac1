"""Queueing what a job needs next; the sweeper does the same for jobs that show no sign of life."""

import logging

from service.domain.jobs import Job
from service.domain.lifecycle import JobStatus
from service.errors import UnavailableError
from service.pipeline.finish import complete
from service.pipeline.services import Services
from service.store import batches, jobs

PLAN, RUN = "workers.tasks.plan_job", "workers.tasks.run_batches"

logger = logging.getLogger(__name__)


def wake(services: Services, job: Job) -> None:
    """Queue the task that brings an active job on, unless it waits already.

    Redis being out of reach is not the caller's problem: the job stays due, and the sweeper tries again.
    """
    try:
        if job.status is JobStatus.RUNNING:
            _bring_on(services, job)
        elif job.status.is_active:
            services.queue.enqueue(PLAN, job.id, task_id=f"{job.id}-plan")
    except UnavailableError:
        logger.warning("redis is out of reach: %s will be queued by the sweeper", job.id)


def _bring_on(services: Services, job: Job) -> None:
    """Queue one more worker for a running job if there is a batch to be taken; complete it if all are done.

    The task's id carries the lowest batch to be had, so that it differs from those of tasks that run, and whoever
    else wakes the job at this moment makes the same one.
    """
    with services.store.read() as session:
        lowest = batches.lowest_takeable(session, job.id)
    if lowest is None:
        complete(services, job)
    elif not any(task_id.startswith(f"{job.id}-run") for task_id in services.queue.waiting()):
        services.queue.enqueue(RUN, job.id, task_id=f"{job.id}-run-{lowest}")


def sweep(services: Services, limit: int = 100) -> int:
    """Queue again the work of jobs that have shown no sign of life; gives how many were woken.

    Any number of sweepers may run at once: each overdue job is taken by one of them, by compare-and-set.
    """
    with services.store.read() as session:
        overdue = jobs.overdue(session, limit)
    return sum(_rouse(services, job_id, seen) for job_id, seen in overdue)


def _rouse(services: Services, job_id: str, seen: float) -> bool:
    """Wake one job. A fault in it is logged and costs this job alone, not those behind it: it is due again later."""
    with services.store.write() as session:
        taken = jobs.take_wake(session, job_id, seen)
    if not taken:
        return False
    try:
        _wake_up(services, job_id)
    except Exception:
        logger.exception("%s can't be woken", job_id)
    return True


def _wake_up(services: Services, job_id: str) -> None:
    with services.store.read() as session:
        job = jobs.load(session, job_id)
    if job:
        logger.info("waking %s (%s)", job.id, job.status)
        wake(services, job)
