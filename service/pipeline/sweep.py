"""Waking the jobs and suites that show no sign of life, and webhooks: whatever was lost on the way is found here."""

import logging
from collections.abc import Callable

from service.pipeline.notify import queue_deliveries
from service.pipeline.services import Services
from service.pipeline.wake import wake, wake_suite
from service.store import jobs, suites, waking
from service.store.tables import JobRow, SuiteRow
from service.store.waking import Sleeper

logger = logging.getLogger(__name__)


def sweep(services: Services, limit: int = 100) -> int:
    """Queue again the work of jobs and suites that have shown no sign of life; gives how many were woken.

    All webhooks that are due count as one. Any number of sweepers may run at once: each overdue job or suite is taken
    by one of them, by compare-and-set.
    """
    woken = _sweep(services, JobRow, limit, _wake_job) + _sweep(services, SuiteRow, limit, _wake_suite)
    return woken + queue_deliveries(services)


def _sweep(services: Services, table: Sleeper, limit: int, wake_up: Callable[[Services, str], None]) -> int:
    with services.store.read() as session:
        overdue = waking.overdue(session, table, limit)
    return sum(_rouse(services, table, row_id, seen, wake_up) for row_id, seen in overdue)


def _rouse(
    services: Services,
    table: Sleeper,
    row_id: str,
    seen: float,
    wake_up: Callable[[Services, str], None],
) -> bool:
    """Wake one. A fault in it is logged and costs this one alone, not those behind it: it is due again later."""
    with services.store.write() as session:
        taken = waking.take_wake(session, table, row_id, seen)
    if not taken:
        return False
    try:
        wake_up(services, row_id)
    except Exception:
        logger.exception("%s can't be woken", row_id)
    return True


def _wake_job(services: Services, job_id: str) -> None:
    with services.store.read() as session:
        job = jobs.load(session, job_id)
    if job:
        logger.info("waking %s (%s)", job.id, job.status, extra={"job_id": job.id, "tenant": job.tenant})
        wake(services, job)


def _wake_suite(services: Services, suite_id: str) -> None:
    with services.store.read() as session:
        suite = suites.load(session, suite_id)
    if suite:
        logger.info("waking %s (%s)", suite.id, suite.status, extra={"suite_id": suite.id, "tenant": suite.tenant})
        wake_suite(services, suite)
