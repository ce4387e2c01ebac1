"""Having the completions of a finished job judged again, beside its own verdicts.

A judgement is a job whose target is what another job has stored: planned, leased, woken and ended as any other.
"""

from sqlalchemy.orm import Session

from service import tracing
from service.domain.jobs import Job
from service.domain.lifecycle import JobStatus
from service.domain.specs import JobSpec, PluginSpec, SuiteSpec
from service.errors import ConflictError
from service.pipeline import quota
from service.pipeline.once import IdempotencyKey
from service.pipeline.services import Services
from service.pipeline.submit import accept
from service.store import jobs


def judge_again(
    services: Services,
    judge: PluginSpec,
    *,
    tenant: str,
    job_id: str,
    name: str | None = None,
    once: IdempotencyKey | None = None,
) -> Job:
    """Store a judgement of a completed job, commit, then queue its first task. No target is called for it.

    Raises:
        NotFoundError: the tenant has no such job.
        ConflictError: the job has not completed.
        QuotaExceededError: it would be more than the tenant may have.
        InvalidError: the Idempotency-Key came before with another request.
    """
    sealed = services.vault.seal({"judge": judge.secrets})

    def store(session: Session) -> str:
        jobs.lock(session, job_id)  # or else a retry might begin to replace its completions now
        job = jobs.get(session, tenant, job_id)
        if job.status is not JobStatus.COMPLETED:
            message = f"Job {job_id} is {job.status}: only a completed job can be judged again."
            raise ConflictError(message, code="job_not_completed")
        quota.spend(services, session, tenant, job.total)
        spec = _spec(job, judge, name)
        return jobs.create(
            session,
            spec,
            job.suite,
            tenant=tenant,
            sealed=sealed,
            completions_of=job_id,
            traceparent=tracing.traceparent(),
        )

    return accept(services, store, tenant=tenant, once=once, of=job_id)


def _spec(job: Job, judge: PluginSpec, name: str | None) -> JobSpec:
    """As the job's own, so that the same thresholds are held against it; but with no limits, which are for a job."""
    return JobSpec(
        name=name,
        target=job.target,
        suite=SuiteSpec(suite_id=job.suite.id),
        judge=judge,
        repeats=job.repeats,
        thresholds=job.thresholds,
    )
