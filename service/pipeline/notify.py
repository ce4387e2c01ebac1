"""Telling a job's webhook of its end: noted with the end itself, sent by a worker, at least once.

What is due stands in the database. A task for it is queued at a job's end, and by the sweeper when that task got lost
or a time to wait is over. `deliver` sends them.
"""

import logging

from sqlalchemy.orm import Session

from service.domain.jobs import Job
from service.errors import ConflictError, UnavailableError
from service.pipeline.services import Services
from service.store import deliveries, jobs

DELIVER, TASK = "workers.tasks.deliver_webhooks", "webhooks"

logger = logging.getLogger(__name__)


def note_end(session: Session, job: Job) -> None:
    """Have the job's webhook told, if it has one; part of the transaction that ends the job."""
    if job.webhook:
        deliveries.add(session, job)


def queue_deliveries(services: Services) -> bool:
    """Queue a task that sends what is due, if anything is and none waits already; says whether it did.

    Redis being out of reach is not the caller's problem: the sweeper tries again. The task's id carries the next
    attempt, so that it differs from those of tasks that run.
    """
    with services.store.read() as session:
        attempt = deliveries.next_due(session)
    try:
        if attempt is None or any(task_id.startswith(TASK) for task_id in services.queue.waiting()):
            return False
        return services.queue.enqueue(DELIVER, task_id=f"{TASK}-{attempt}")
    except UnavailableError:
        logger.warning("redis is out of reach: webhooks will be queued by the sweeper")
        return False


def redeliver(services: Services, *, tenant: str, job_id: str) -> Job:
    """Send the newest delivery of a job again, whatever became of it, under the same id.

    Raises:
        NotFoundError: the tenant has no such job.
        ConflictError: the job has no webhook, or has not ended yet.
    """
    with services.store.write() as session:
        job = jobs.get(session, tenant, job_id)
        newest = deliveries.newest(session, [job_id]).get(job_id)
        if newest is None:
            why = f"is {job.status}: its webhook is told when it ends" if job.webhook else "was given no webhook"
            raise ConflictError(f"Job {job_id} {why}.", code="nothing_to_deliver")
        deliveries.send_again(session, newest.id)
    queue_deliveries(services)
    return job
