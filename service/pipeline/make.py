"""Making a suite: its generator fills it, then it is frozen under a digest."""

import asyncio
import logging
import uuid
from collections.abc import Callable
from dataclasses import replace
from itertools import count

from service.domain.digests import SuiteDigest
from service.domain.jobs import Job, StatusReason, Suite
from service.errors import GenerationError, StaleClaimError
from service.failpoints import failpoint
from service.pipeline import fairness
from service.pipeline.equipment import unreadable
from service.pipeline.fill import ShuttingDownError, fill
from service.pipeline.finish import halt
from service.pipeline.keeping import keeping
from service.pipeline.services import Services
from service.pipeline.watched import on_suite
from service.store import cases, jobs, making, suites
from service.store.making import Made
from service.store.patience import patient
from service.store.vault import VaultError

MAX_ATTEMPTS = 3
"""So many may be lost one after another, with their worker or to an error nobody foresaw, that store not one case."""
GAVE_UP = StatusReason(
    "generation_failed", "Making the suite failed three times without a further case; the workers' logs say why."
)
NOTHING = StatusReason(
    "nothing_generated",
    "The generator gave not one case that could be used; `effort` says what became of its replies. A model that "
    "refuses to write such requests can't generate a suite: name another one.",
)

logger = logging.getLogger(__name__)


def make(services: Services, suite_id: str, stopping: Callable[[], bool]) -> bool:
    """Fill and freeze a suite, going on from where an earlier attempt was cut off.

    Does nothing, and says so, when another worker is at it, it is made already, nobody wants it now, or no worker would
    be left for jobs: then the sweeper asks again. The jobs that wait for it are the caller's to wake.
    """
    token = uuid.uuid4().hex
    attempt, suite = _claim(services, suite_id, token)
    if attempt is None or suite is None:
        return False
    if fairness.takes_last_worker(services, suite):
        logger.info(
            "leaving the making of %s for later: models write as many suites as workers can be spared", suite.id
        )
        _hand_back(services, suite, token)
        return False
    with on_suite("make suite", suite):
        _attempt(services, suite, token, stopping, attempt)
    return True


@patient
def waiting(services: Services, suite_id: str) -> list[Job]:
    """The jobs that wait for the suite."""
    with services.store.read() as session:
        found = [jobs.load(session, job_id) for job_id in making.waiting_jobs(session, suite_id)]
    return [job for job in found if job]


def _attempt(services: Services, suite: Suite, token: str, stopping: Callable[[], bool], number: int) -> None:
    try:
        if number > MAX_ATTEMPTS:
            _fail(services, suite, token, GAVE_UP)
        else:
            _carry_out(services, suite, token, stopping)
    except (StaleClaimError, ShuttingDownError) as left:
        logger.info("leaving the making of %s: %s", suite.id, left)
        _hand_back(services, suite, token)


def _carry_out(services: Services, suite: Suite, token: str, stopping: Callable[[], bool]) -> None:
    try:
        digest = asyncio.run(keeping(services, suite, token, _fill_up(services, suite, token, stopping)))
    except VaultError as error:
        _set_aside(services, suite, token, unreadable(error))
        return
    except GenerationError as error:
        _fail(services, suite, token, StatusReason(error.code, str(error)))
        return
    failpoint("filled_up")
    if not _freeze(services, suite, token, digest):
        _fail(services, suite, token, NOTHING)


async def _fill_up(services: Services, suite: Suite, token: str, stopping: Callable[[], bool]) -> str:
    """Make what is missing; gives the digest of all. To read a million cases takes longer than a lease lasts."""
    if suite.generator:
        await fill(services, suite, suite.generator, token, stopping)
    return await asyncio.to_thread(_digest, services, suite)


@patient
def _claim(services: Services, suite_id: str, token: str) -> tuple[int | None, Suite | None]:
    with services.store.write() as session:
        return making.claim(session, suite_id, token), suites.load(session, suite_id)


@patient
def _digest(services: Services, suite: Suite) -> str:
    """The digest of the cases as they will be numbered, without the gaps that a shortfall has left."""
    digest, places = SuiteDigest(), count()
    for chunk in cases.stream(services.store, suite.id):
        digest.update(replace(case, index=next(places)) for case in chunk)
    return str(digest)


@patient
def _freeze(services: Services, suite: Suite, token: str, digest: str) -> bool:
    """Number the cases and freeze the suite, at once: a generator that goes on must find each in its old place.

    False when there is no case.
    """
    with services.store.write() as session:
        making.renew(session, suite.id, token)
        size = cases.close_gaps(session, suite.id)
        if size:
            making.freeze(session, suite.id, Made(size, cases.count_duplicates(session, suite.id), digest))
    failpoint("frozen")
    return size > 0


@patient
def _fail(services: Services, suite: Suite, token: str, reason: StatusReason) -> None:
    with services.store.write() as session:
        making.renew(session, suite.id, token)
        making.note_effort(session, suite.id, suite.effort.to_json())
        making.fail(session, suite.id, reason)
    logger.warning("%s can't be made: %s", suite.id, reason.code)


def _set_aside(services: Services, suite: Suite, token: str, reason: StatusReason) -> None:
    """Leave the making to other workers, and pause the jobs that wait for it, so that somebody learns of it.

    A suite that was asked for by itself is tried again, by whichever worker, each time the sweeper finds it.
    """
    logger.warning("leaving the making of %s: %s", suite.id, reason.message)
    for job in waiting(services, suite.id):
        halt(services, job, reason)
    _hand_back(services, suite, token)


@patient
def _hand_back(services: Services, suite: Suite, token: str) -> None:
    with services.store.write() as session:
        making.hand_back(session, suite.id, token)
