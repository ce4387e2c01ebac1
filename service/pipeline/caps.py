"""A job's spending limits."""

from service.domain.completions import Usage
from service.domain.jobs import Job, StatusReason
from service.domain.specs import Limits
from service.pipeline.services import Services
from service.store import jobs, tallies


def reached(services: Services, job: Job) -> StatusReason | None:
    """Which limit a running job has come to, told as the reason for its pause; None while it is within all of them.

    They are read anew: whoever resumes a job may have changed them since it was loaded.
    """
    with services.store.read() as session:
        now = jobs.load(session, job.id)
        if now is None or now.limits == Limits():
            return None
        return _reached(now, sum(tallies.read_usage(session, job.id).values(), Usage()))


def _reached(job: Job, used: Usage) -> StatusReason | None:
    limits = job.limits
    spent = (
        ("max_requests", limits.max_requests, used.requests),
        ("max_total_tokens", limits.max_total_tokens, used.prompt_tokens + used.completion_tokens),
        ("max_duration_seconds", limits.max_duration_seconds, job.active_seconds),
    )
    for name, limit, amount in spent:
        if limit is not None and amount >= limit:
            message = f"limits.{name} is {limit}, and {amount:.0f} are used: resume the job with a higher limit."
            return StatusReason(f"limit_{name}", message)
    return None
