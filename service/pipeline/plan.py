"""Making a job's suite, freezing it, and cutting the job into batches."""

import hashlib
import json
import logging
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from itertools import islice

from service.domain.cases import Case
from service.domain.jobs import Job, StatusReason, SuiteStatus
from service.domain.lifecycle import JobStatus
from service.domain.specs import PluginSpec
from service.errors import StaleClaimError
from service.failpoints import failpoint
from service.generators.base import generators
from service.pipeline.finish import fail
from service.pipeline.services import Services
from service.pipeline.wake import wake
from service.store import batches, jobs, plans, suites
from service.store.patience import patient

BATCH_SIZE = 32
"""Cases a batch: small enough that little is asked again after a crash, large enough that claims cost nothing."""

CHUNK = 2_000
"""Cases stored in one transaction, so that other writers get their turn."""

MAX_ATTEMPTS = 3

logger = logging.getLogger(__name__)


def plan(services: Services, job_id: str) -> None:
    """Fill and freeze the job's suite if it isn't yet, store its batches, and queue the first run.

    Does nothing when another worker is at it or the job has moved on.
    """
    token = uuid.uuid4().hex
    attempt, job = _claim(services, job_id, token)
    if attempt is None or job is None:
        return
    if attempt > MAX_ATTEMPTS:
        fail(
            services,
            job,
            StatusReason("planning_failed", "Making the suite failed three times; the workers' logs say why."),
        )
        return
    try:
        _carry_out(services, job, token)
    except StaleClaimError as stale:
        logger.info("%s", stale)


@patient
def _claim(services: Services, job_id: str, token: str) -> tuple[int | None, Job | None]:
    with services.store.write() as session:
        return plans.claim(session, job_id, token), jobs.load(session, job_id)


def _carry_out(services: Services, job: Job, token: str) -> None:
    if job.suite.status is not SuiteStatus.READY:
        _fill(services, job, token)
    running = _cut(services, job, token)
    failpoint("planned")
    if running:
        wake(services, running)


@patient
def _cut(services: Services, job: Job, token: str) -> Job | None:
    """Cut the job into batches and let it run."""
    with services.store.write() as session:
        plans.renew(session, job.id, token)
        batches.create(session, job.id, slices(job.suite.size, job.repeats))
        jobs.move(session, job.id, JobStatus.RUNNING)
        failpoint("planning")
        return jobs.load(session, job.id)


def _fill(services: Services, job: Job, token: str) -> None:
    """Store the suite's cases and freeze it under the digest of what was stored."""
    digest = SuiteDigest()
    if job.suite.generator:
        _generate(services, job, job.suite.generator, token, digest)
    else:
        for first in range(0, job.suite.size, CHUNK):
            with services.store.read() as session:
                digest.update(suites.read_cases(session, job.suite.id, first, first + CHUNK - 1))
    _freeze(services, job, token, str(digest))


@patient
def _freeze(services: Services, job: Job, token: str, digest: str) -> None:
    with services.store.write() as session:
        plans.renew(session, job.id, token)
        suites.freeze(session, job.suite.id, digest)


def _generate(services: Services, job: Job, spec: PluginSpec, token: str, digest: "SuiteDigest") -> None:
    """Store the generator's cases, beginning anew if an earlier attempt was cut off: it gives the same cases again."""
    cases = generators.get(spec.name)(spec.options).cases()
    while chunk := list(islice(cases, CHUNK)):
        digest.update(chunk)
        _store(services, job, token, chunk)
        failpoint("filled")


@patient
def _store(services: Services, job: Job, token: str, chunk: list[Case]) -> None:
    """Store the next cases, in place of what an earlier attempt may have left from there on."""
    with services.store.write() as session:
        plans.renew(session, job.id, token)
        suites.clear_cases(session, job.suite.id, chunk[0].index)
        suites.add_cases(session, job.suite.id, chunk)


def slices(size: int, repeats: int) -> Iterator[tuple[int, int]]:
    """Cut all runs of a job into batches that lie within one repeat: (first, last) run of each."""
    for repeat in range(repeats):
        for first in range(0, size, BATCH_SIZE):
            start = repeat * size
            yield start + first, start + min(first + BATCH_SIZE, size) - 1


class SuiteDigest:
    """SHA-256 over the cases in order, one line of JSON each: equal digests mean equal suites, wherever made."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def update(self, cases: Iterable[Case]) -> None:
        """Add the next cases."""
        for case in cases:
            line = json.dumps(asdict(case), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
            self._hash.update(line.encode() + b"\n")

    def __str__(self) -> str:
        """`sha256:` and 64 hexadecimal digits."""
        return f"sha256:{self._hash.hexdigest()}"
