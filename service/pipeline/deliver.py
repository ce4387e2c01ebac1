"""Sending the webhooks that are due. One task sends many side by side, so that those that hang cost what one does."""

import asyncio
import logging
import random
import uuid

import aiohttp

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
from service.failpoints import failpoint
from service.llm.connecting import LookUps
from service.llm.transport import session as http_session
from service.pipeline.notify import queue_deliveries
from service.pipeline.posting import post
from service.pipeline.services import Services
from service.pipeline.watched import on_job
from service.store import deliveries
from service.store.deliveries import Due
from service.store.patience import patient
from service.store.vault import VaultError

AT_ONCE = 32
"""Deliveries that one task sends side by side."""

logger = logging.getLogger(__name__)


def deliver(services: Services) -> None:
    """Send some of what is due, and leave the rest to another task, since jobs wait for this worker too.

    That takes no longer than a worker has left that is told to stop, so it need not listen for it.
    """
    token = uuid.uuid4().hex
    due = _claim(services, token)
    failpoint("delivering")
    asyncio.run(_send_all(services, due, token))
    queue_deliveries(services)


@patient
def _claim(services: Services, token: str) -> list[Due]:
    with services.store.write() as session:
        return deliveries.claim(session, token, AT_ONCE)


async def _send_all(services: Services, due: list[Due], token: str) -> None:
    # One for each look-up that may hang, and one for whoever notes what came of another.
    asyncio.get_running_loop().set_default_executor(LookUps(2 * AT_ONCE))
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
    with services.store.write() as session:
        attempt = deliveries.attempt_of(session, due.id, token)
        if attempt is None:
            return
        result = result_of(answer, attempt)
        waits = result.state is DeliveryState.WAITING
        wait = wait_after(attempt, answer.retry_after, random.random()) if waits else 0.0
        deliveries.settle(session, due.id, token, result, wait=wait, status=answer.status, error=answer.error)
    metrics.WEBHOOK_DELIVERIES.labels(result.value).inc()
    _tell(due, result, answer)


def _tell(due: Due, result: AttemptResult, answer: Answer) -> None:
    """Never the address: its path may be known to few."""
    level = logging.INFO if result is AttemptResult.DELIVERED else logging.WARNING
    why = answer.status or answer.error
    logger.log(level, "%s %s (attempt %d: %s)", due.id, result, due.attempt, why)
