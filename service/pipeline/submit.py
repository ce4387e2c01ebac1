"""From a validated specification to a stored job whose first task is queued."""

from collections.abc import Callable
from dataclasses import asdict, replace

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from service import tracing
from service.domain.jobs import Job, Suite, SuiteStatus
from service.domain.specs import JobSpec, PluginSpec, SuiteSpec
from service.errors import ConflictError
from service.failpoints import failpoint
from service.generators.base import generators
from service.pipeline import quota, upload
from service.pipeline.named import with_target
from service.pipeline.once import IdempotencyKey, earlier, remember
from service.pipeline.services import Services
from service.pipeline.wake import wake, wake_suite
from service.store import cases, jobs, suites
from service.store.suites import NewSuite


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
        secrets = {"target": complete.target.secrets, "judge": spec.judge.secrets}
        if spec.webhook:
            secrets["webhook"] = asdict(spec.webhook)
        sealed = services.vault.seal(secrets)
        return jobs.create(session, complete, suite, tenant=tenant, sealed=sealed, traceparent=tracing.traceparent())

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
    if once and (known := _earlier_job(services, tenant, once, of)):
        return known
    try:
        with services.store.write() as session:
            job_id = store(session)
            if once:
                remember(session, tenant, once, job_id)
            job = jobs.get(session, tenant, job_id, of=of)
    except IntegrityError:
        known = _earlier_job(services, tenant, once, of) if once else None
        if known is None:
            raise
        return known
    failpoint("submitted")
    wake(services, job)
    return job


def submit_suite(
    services: Services, spec: SuiteSpec, name: str | None, *, tenant: str, once: IdempotencyKey | None = None
) -> Suite:
    """Store a suite of its own, once for each key: one to be generated, whose task is queued, or the cases given.

    Raises:
        NotFoundError: what an earlier request with the same key made has been deleted since.
        QuotaExceededError: it would be more than the tenant may have.
        InvalidError: the Idempotency-Key came before with another request.
    """
    if once and (known := _earlier_suite(services, tenant, once)):
        return known
    try:
        if spec.generator is None:
            return upload.store(services, spec.cases or (), name, tenant=tenant, once=once)
        return _generated(services, spec.generator, name, tenant, once)
    except IntegrityError:
        known = _earlier_suite(services, tenant, once) if once else None
        if known is None:
            raise
        return known


def _generated(
    services: Services, generator: PluginSpec, name: str | None, tenant: str, once: IdempotencyKey | None
) -> Suite:
    new = replace(to_generate(services, generator), name=name, named=True, traceparent=tracing.traceparent())
    with services.store.write() as session:
        quota.spend(services, session, tenant, new.size)
        suite = suites.create(session, tenant, new)
        if once:
            remember(session, tenant, once, suite.id)
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
    suites.keep(session, suite_id)
    suite = suites.get(session, tenant, suite_id)
    if suite.status is SuiteStatus.FAILED:
        raise ConflictError(f"Suite {suite.id} could not be made, so there is nothing to run.", code="suite_failed")
    return suite


def _earlier_job(services: Services, tenant: str, once: IdempotencyKey, of: str | None) -> Job | None:
    job_id = earlier(services, tenant, once)
    if job_id is None:
        return None
    with services.store.read() as session:
        return jobs.get(session, tenant, job_id, of=of)


def _earlier_suite(services: Services, tenant: str, once: IdempotencyKey) -> Suite | None:
    suite_id = earlier(services, tenant, once)
    if suite_id is None:
        return None
    with services.store.read() as session:
        return suites.get(session, tenant, suite_id)
