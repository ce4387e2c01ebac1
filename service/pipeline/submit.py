"""From a validated specification to a stored job whose first task is queued."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from service.domain.jobs import Job, Suite, SuiteStatus
from service.domain.specs import JobSpec, PluginSpec, SuiteSpec
from service.errors import ConflictError, InvalidError
from service.failpoints import failpoint
from service.generators.base import generators
from service.pipeline import quota, upload
from service.pipeline.named import with_target
from service.pipeline.services import Services
from service.pipeline.wake import wake, wake_suite
from service.store import cases, idempotency, jobs, suites
from service.store.suites import NewSuite


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A client's Idempotency-Key with the digest of the request that it came with."""

    key: str
    request_digest: str


def submit(services: Services, spec: JobSpec, *, tenant: str, once: IdempotencyKey | None = None) -> Job:
    """Store a job, commit, then queue its first task.

    A job whose task can't be queued (no Redis) is accepted all the same: the sweeper queues it later.

    Raises:
        NotFoundError: the suite or the target it names does not exist.
        QuotaExceededError: it would be more than the tenant may have.
        ConflictError: the suite it names could not be made.
        InvalidError: the Idempotency-Key came before with another request.
    """

    def store(session: Session) -> str:
        suite = _suite(services, session, spec.suite, tenant)
        quota.spend(services, session, tenant, suite.size * spec.repeats)
        complete = with_target(services, session, spec, tenant)
        sealed = services.vault.seal({"target": complete.target.secrets, "judge": spec.judge.secrets})
        return jobs.create(session, complete, suite, tenant=tenant, sealed=sealed)

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


def submit_suite(services: Services, spec: SuiteSpec, name: str | None, *, tenant: str) -> Suite:
    """Store a suite of its own: one to be generated, whose task is queued, or the ready one of the cases given."""
    if spec.generator is None:
        return upload.store(services, spec.cases or (), name, tenant=tenant)
    new = replace(to_generate(services, spec.generator), name=name, named=True)
    with services.store.write() as session:
        suite = suites.create(session, tenant, new)
    wake_suite(services, suite)
    return suite


def _suite(services: Services, session: Session, spec: SuiteSpec, tenant: str) -> Suite:
    if spec.suite_id:
        return _existing(session, spec.suite_id, tenant)
    if spec.generator:
        return suites.create(session, tenant, to_generate(services, spec.generator))
    suite = suites.create(session, tenant, NewSuite(len(spec.cases or ())))
    cases.add(session, suite.id, spec.cases or ())
    return suite


def to_generate(services: Services, generator: PluginSpec) -> NewSuite:
    """A suite that the generator is to make."""
    sealed = services.vault.seal({"generator": generator.secrets}) if generator.secrets else None
    return NewSuite(generators.get(generator.name).size(generator.options), generator, sealed=sealed)


def _existing(session: Session, suite_id: str, tenant: str) -> Suite:
    """A suite that stands already, held so that nobody removes it meanwhile. One still being made is waited for."""
    suites.lock(session, suite_id)
    suite = suites.get(session, tenant, suite_id)
    if suite.status is SuiteStatus.FAILED:
        raise ConflictError(f"Suite {suite.id} could not be made, so there is nothing to run.", code="suite_failed")
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
