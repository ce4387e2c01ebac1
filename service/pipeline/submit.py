"""From a validated specification to a stored job whose first task is queued."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from service.domain.jobs import Job, Suite, SuiteStatus
from service.domain.specs import JobSpec, SuiteSpec
from service.errors import ConflictError, InvalidError
from service.failpoints import failpoint
from service.generators.base import generators
from service.pipeline.services import Services
from service.pipeline.wake import wake
from service.store import idempotency, jobs, suites


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A client's Idempotency-Key with the digest of the request that it came with."""

    key: str
    request_digest: str


def submit(services: Services, spec: JobSpec, *, tenant: str, once: IdempotencyKey | None = None) -> Job:
    """Store a job, commit, then queue its first task.

    A job whose task can't be queued (no Redis) is accepted all the same: the sweeper queues it later.

    Raises:
        NotFoundError: the suite it names does not exist.
        ConflictError: the suite it names is not ready.
        InvalidError: the Idempotency-Key came before with another request.
    """
    sealed = services.vault.seal({"target": spec.target.secrets, "judge": spec.judge.secrets})

    def store(session: Session) -> str:
        suite = _suite(session, spec.suite, tenant)
        return jobs.create(session, spec, suite, tenant=tenant, sealed=sealed)

    return accept(services, store, tenant=tenant, once=once)


def accept(
    services: Services,
    store: Callable[[Session], str],
    *,
    tenant: str,
    once: IdempotencyKey | None,
    of: str | None = None,
) -> Job:
    """Store a job (or a judgement `of` one), once for each key, commit, then queue its first task.

    Raises:
        InvalidError: the Idempotency-Key came before with another request.
    """
    if once and (earlier := _earlier(services, tenant, once, of)):
        return earlier
    try:
        with services.store.write() as session:
            job_id = store(session)
            if once:
                idempotency.remember(session, tenant, once.key, once.request_digest, job_id)
            job = jobs.get(session, tenant, job_id, of=of)
    except IntegrityError:
        earlier = _earlier(services, tenant, once, of) if once else None
        if earlier is None:
            raise
        return earlier
    failpoint("submitted")
    wake(services, job)
    return job


def _suite(session: Session, spec: SuiteSpec, tenant: str) -> Suite:
    if spec.suite_id:
        suite = suites.get(session, tenant, spec.suite_id)
        if suite.status is not SuiteStatus.READY:
            raise ConflictError(f"Suite {suite.id} is not ready yet; try again once it is.", code="suite_not_ready")
        return suite
    if spec.generator:
        size = generators.get(spec.generator.name)(spec.generator.options).size()
        return suites.create(session, tenant=tenant, size=size, generator=spec.generator)
    cases = spec.cases or ()
    suite = suites.create(session, tenant=tenant, size=len(cases), generator=None)
    suites.add_cases(session, suite.id, cases)
    return suite


def _earlier(services: Services, tenant: str, once: IdempotencyKey, of: str | None) -> Job | None:
    """The job that an earlier request with the same key has made."""
    with services.store.read() as session:
        found = idempotency.find(session, tenant, once.key)
        if found is None:
            return None
        request_digest, job_id = found
        if request_digest != once.request_digest:
            raise InvalidError(
                "This Idempotency-Key was used for another request; send a fresh key with a new request.",
                code="idempotency_key_reused",
            )
        return jobs.get(session, tenant, job_id, of=of)
