"""Jobs as they are shown: with progress, usage, gate and links, read in a fixed number of queries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from service.domain.completions import Usage
from service.domain.deliveries import Delivery
from service.domain.gates import Gate
from service.domain.jobs import Job
from service.domain.lifecycle import JobStatus
from service.domain.report import gate
from service.domain.tallies import Counts, Tally, total
from service.store import deliveries, tallies

MODEL_ROLES = ("target", "judge")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is."""

    total: int
    done: int
    safe: int
    unsafe: int
    unknown: int
    errors: int
    answered: int
    refused: int
    blocked: int
    rate_per_second: float | None
    eta_seconds: int | None


@dataclass(frozen=True, slots=True)
class WebhookView:
    """A job's webhook with its newest delivery; None before the job has ended."""

    address: str
    delivery: Delivery | None


@dataclass(frozen=True, slots=True)
class JobView:
    """A job with all that is shown beside it."""

    job: Job
    progress: Progress
    usage: Mapping[str, Usage]
    gate: Gate
    webhook: WebhookView | None

    @property
    def links(self) -> dict[str, str]:
        """Where to go from here."""
        here = job_path(self.job.id)
        there = ("results", "report", "judgements", "deliveries", "cancel", "pause", "resume", "retry")
        return {"self": here, **{name: f"{here}/{name}" for name in there}}


def job_path(job_id: str) -> str:
    """Where a job is found."""
    return f"/v1/jobs/{job_id}"


def view(session: Session, job: Job) -> JobView:
    """One job as it is shown."""
    return views(session, [job])[0]


def views(session: Session, jobs: Sequence[Job]) -> list[JobView]:
    """Jobs as they are shown."""
    ids = [job.id for job in jobs]
    counted, used = tallies.read_by_category(session, ids), tallies.read_usages(session, ids)
    told = deliveries.newest(session, [job.id for job in jobs if job.webhook])
    return [_view(job, counted.get(job.id, []), used.get(job.id, {}), told.get(job.id)) for job in jobs]


def by_role(usage: Mapping[str, Usage]) -> dict[str, Usage]:
    """Usage of every role, zeros for those that made no call yet."""
    return {role: usage.get(role, Usage()) for role in MODEL_ROLES}


def progress(job: Job, counts: Counts) -> Progress:
    """How far the job is at this moment."""
    rate = counts.done / job.active_seconds if job.active_seconds else 0.0
    left = job.total - counts.done
    running = job.status is JobStatus.RUNNING
    return Progress(
        total=job.total,
        done=counts.done,
        safe=counts.safe,
        unsafe=counts.unsafe,
        unknown=counts.unknown,
        errors=counts.errors,
        answered=counts.answered,
        refused=counts.refused,
        blocked=counts.blocked,
        rate_per_second=round(rate, 3) if rate else None,
        eta_seconds=round(left / rate) if rate and running else None,
    )


def _view(job: Job, counted: Sequence[Tally], used: Mapping[str, Usage], told: Delivery | None) -> JobView:
    webhook = WebhookView(job.webhook, told) if job.webhook else None
    return JobView(job, progress(job, total(counted)), by_role(used), gate(job, counted), webhook)
