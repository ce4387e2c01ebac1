"""Queueing what a job or a suite needs next; the sweeper does the same for those that show no sign of life."""

import logging

from service.domain.jobs import Job, Suite, SuiteStatus
from service.domain.lifecycle import JobStatus
from service.errors import UnavailableError
from service.pipeline.finish import complete
from service.pipeline.services import Services
from service.store import batches

PLAN, RUN, MAKE = "workers.tasks.plan_job", "workers.tasks.run_batches", "workers.tasks.make_suite"

logger = logging.getLogger(__name__)


def wake(services: Services, job: Job, *, at_front: bool = False) -> None:
    """Queue the task that brings an active job on, unless it waits already; `at_front`: before those of others.

    Redis being out of reach is not the caller's problem: the job stays due, and the sweeper tries again.
    """
    try:
        if job.status is JobStatus.RUNNING:
            _bring_on(services, job, at_front)
        elif job.status.is_active:
            services.queue.enqueue(PLAN, job.id, task_id=f"{job.id}-plan")
    except UnavailableError:
        about = {"job_id": job.id, "tenant": job.tenant}
        logger.warning("redis is out of reach: %s will be queued by the sweeper", job.id, extra=about)


def wake_suite(services: Services, suite: Suite) -> None:
    """Queue the making of a suite, as `wake` does for a job."""
    try:
        if suite.status is SuiteStatus.GENERATING:
            services.queue.enqueue(MAKE, suite.id, task_id=f"{suite.id}-make")
    except UnavailableError:
        about = {"suite_id": suite.id, "tenant": suite.tenant}
        logger.warning("redis is out of reach: %s will be queued by the sweeper", suite.id, extra=about)


def _bring_on(services: Services, job: Job, at_front: bool) -> None:
    """Queue one more worker for a running job if there is a batch to be taken; complete it if all are done.

    The task's id carries the batch to be had next, so that it differs from those of tasks that run, and whoever
    else wakes the job at this moment makes the same one.
    """
    with services.store.read() as session:
        batch = batches.next_takeable(session, job.id)
    if batch is None:
        complete(services, job)
    elif not any(task_id.startswith(f"{job.id}-run") for task_id in services.queue.waiting()):
        services.queue.enqueue(RUN, job.id, task_id=f"{job.id}-run-{batch}", at_front=at_front)
