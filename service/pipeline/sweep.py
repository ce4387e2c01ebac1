"""Waking the jobs and suites that show no sign of life, and webhooks: whatever was lost on the way is found here."""

import logging
from collections.abc import Callable

from service.domain.jobs import Suite, SuiteStatus
from service.domain.lifecycle import JobStatus
from service.pipeline import fairness
from service.pipeline.notify import queue_deliveries
from service.pipeline.services import Services
from service.pipeline.wake import wake, wake_suite
from service.store import jobs, making, suites, waking
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


def _sweep(services: Services, table: Sleeper, limit: int, wake_up: Callable[[Services, str], bool]) -> int:
    with services.store.read() as session:
        overdue = waking.overdue(session, table, limit)
    return sum(_rouse(services, table, row_id, seen, wake_up) for row_id, seen in overdue)


def _rouse(
    services: Services,
    table: Sleeper,
    row_id: str,
    seen: float,
    wake_up: Callable[[Services, str], bool],
) -> bool:
    """Wake one; says whether it was. A fault costs this one alone, not those behind it: it is due again later."""
    with services.store.write() as session:
        taken = waking.take_wake(session, table, row_id, seen)
    if not taken:
        return False
    try:
        return wake_up(services, row_id)
    except Exception:
        logger.exception("%s can't be woken", row_id)
        return False


def _wake_job(services: Services, job_id: str) -> bool:
    with services.store.read() as session:
        job = jobs.load(session, job_id)
    if job is None or (job.status is JobStatus.GENERATING and _must_wait(services, job.suite)):
        return False
    logger.info("waking %s (%s)", job.id, job.status, extra={"job_id": job.id, "tenant": job.tenant})
    wake(services, job)
    return True


def _wake_suite(services: Services, suite_id: str) -> bool:
    with services.store.read() as session:
        suite = suites.load(session, suite_id)
    if suite is None or _must_wait(services, suite):
        return False
    logger.info("waking %s (%s)", suite.id, suite.status, extra={"suite_id": suite.id, "tenant": suite.tenant})
    wake_suite(services, suite)
    return True


def _must_wait(services: Services, suite: Suite) -> bool:
    """Whether another worker makes the suite, or none can be spared for it.

    A task could do nothing then, and yet a worker would break off the job it runs to make room for it. The jobs that
    wait are woken by the suite's maker; if that dies, its lease lapses and they are found here.
    """
    if suite.status is not SuiteStatus.GENERATING:
        return False
    with services.store.read() as session:
        claimed = making.is_claimed(session, suite.id)
    return claimed or fairness.takes_last_worker(services, suite)
