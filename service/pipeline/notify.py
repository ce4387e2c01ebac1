"""Telling a job's webhook of its end: noted with the end itself, sent by a worker, at least once.

What is due stands in the database. A task for it is queued at a job's end, and by the sweeper when that task got lost
or a time to wait is over. One task sends many side by side, so that receivers that hang cost no more than one does.
"""

import asyncio
import logging
import random
import uuid
from concurrent.futures import ThreadPoolExecutor

import aiohttp
from sqlalchemy.orm import Session

from service import metrics
from service.domain.deliveries import (
    MAX_ATTEMPTS,
    Answer,
    AttemptResult,
    DeliveryError,
    DeliveryState,
    result_of,
    wait_after,
)
from service.domain.jobs import Job
from service.errors import ConflictError, UnavailableError
from service.failpoints import failpoint
from service.llm.transport import session as http_session
from service.pipeline.posting import post
from service.pipeline.services import Services
from service.pipeline.watched import on_job
from service.store import deliveries, jobs
from service.store.deliveries import Due
from service.store.patience import patient
from service.store.vault import VaultError

DELIVER, TASK = "workers.tasks.deliver_webhooks", "webhooks"
AT_ONCE = 32
"""Deliveries that one task sends side by side."""

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


def deliver(services: Services) -> None:
    """Send some of what is due, and leave the rest to another task, since jobs wait for this worker too.

    That takes no longer than a worker has left that is told to stop, so it need not listen for it.
    """
    token = uuid.uuid4().hex
    due = _claim(services, token)
    failpoint("delivering")
    asyncio.run(_send_all(services, due, token))
    queue_deliveries(services)


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


@patient
def _claim(services: Services, token: str) -> list[Due]:
    with services.store.write() as session:
        return deliveries.claim(session, token, AT_ONCE)


async def _send_all(services: Services, due: list[Due], token: str) -> None:
    # Names are looked up in threads, and a look-up that hangs can't be broken off: others need threads of their own.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(2 * AT_ONCE))
    async with http_session(AT_ONCE) as http, asyncio.TaskGroup() as group:
        for delivery in due:
            group.create_task(_send(services, http, delivery, token))


async def _send(services: Services, http: aiohttp.ClientSession, due: Due, token: str) -> None:
    """Send one. A fault in it costs this one alone: its lease ends, and it is tried again."""
    with on_job("deliver webhook", due.job):
        try:
            answer = await _attempt(services, http, due)
            failpoint("posted")
            await asyncio.to_thread(_settle, services, due, token, answer)
        except Exception:
            logger.exception("%s can't be delivered", due.id)


async def _attempt(services: Services, http: aiohttp.ClientSession, due: Due) -> Answer:
    if due.attempt > MAX_ATTEMPTS:  # whoever made the last one never said what came of it
        return Answer(error=DeliveryError.WORKER_LOST)
    try:
        webhook = services.vault.open(due.sealed)["webhook"]
    except VaultError:
        return Answer(error=DeliveryError.SECRETS_UNREADABLE)
    return await post(http, webhook["url"], webhook["secret"], due.id, due.body)


@patient
def _settle(services: Services, due: Due, token: str, answer: Answer) -> None:
    result = result_of(answer, due.attempt)
    waits = result.state is DeliveryState.WAITING
    wait = wait_after(due.attempt, answer.retry_after, random.random()) if waits else 0.0
    with services.store.write() as session:
        noted = deliveries.settle(session, due.id, token, result, wait=wait, status=answer.status, error=answer.error)
    if noted:
        metrics.WEBHOOK_DELIVERIES.labels(result.value).inc()
        _tell(due, result, answer)


def _tell(due: Due, result: AttemptResult, answer: Answer) -> None:
    """Never the address: its path may be known to few."""
    level = logging.INFO if result is AttemptResult.DELIVERED else logging.WARNING
    why = answer.status or answer.error
    logger.log(level, "%s %s (attempt %d: %s)", due.id, result, due.attempt, why)
