"""Jobs: made, found, and moved from state to state."""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Select, delete, func, insert, null, or_, select, update
from sqlalchemy.orm import Session

from service.domain.ids import new_id
from service.domain.jobs import Job, StatusReason, Suite
from service.domain.lifecycle import JobStatus, sources
from service.domain.specs import JobSpec, Limits, PluginSpec, Thresholds
from service.errors import NotFoundError
from service.store.paging import Position, newest_first
from service.store.session import changed, database_now
from service.store.suites import to_suite
from service.store.tables import BatchRow, DeliveryRow, JobRow, ResultRow, SuiteRow, TallyRow, UsageRow
from service.store.waking import WAKE_SECONDS


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs to list; None means any. `label` is a (name, value) pair."""

    completions_of: str | None = None
    """The judgements of that job; None means jobs of their own, never judgements."""
    status: JobStatus | None = None
    model: str | None = None
    label: tuple[str, str] | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None


def create(
    session: Session,
    spec: JobSpec,
    suite: Suite,
    *,
    tenant: str,
    sealed: bytes | None,
    completions_of: str | None = None,
    traceparent: str | None = None,
) -> str:
    """Store a new job as queued, due to be woken should its first task get lost; gives its id."""
    job_id = new_id("jdg" if completions_of else "job")
    session.execute(
        insert(JobRow).values(
            id=job_id,
            tenant=tenant,
            name=spec.name,
            status=JobStatus.QUEUED.value,
            created_at=datetime.now(UTC),
            completions_of=completions_of,
            traceparent=traceparent,
            webhook=spec.webhook.address if spec.webhook else None,
            suite_id=suite.id,
            model=spec.target.options.get("model"),
            target_id=spec.target_id,
            target=_plugin_json(spec.target),
            judge=_plugin_json(spec.judge),
            secrets=sealed,
            repeats=spec.repeats,
            thresholds=_thresholds_json(spec.thresholds) if spec.thresholds else null(),
            labels=dict(spec.labels),
            limits=asdict(spec.limits),
            active_seconds=0.0,
            cut_off=0,
            wake_at=database_now() + WAKE_SECONDS,
        )
    )
    return job_id


def get(session: Session, tenant: str, job_id: str, *, of: str | None = None) -> Job:
    """One job of a tenant, or one judgement `of` the job of that id.

    Raises:
        NotFoundError: the tenant has no such job or judgement.
    """
    known = (JobRow.id == job_id, JobRow.tenant == tenant, JobRow.completions_of == of)
    row = session.execute(_jobs().where(*known)).one_or_none()
    if row is None and of:
        raise NotFoundError(f"There is no judgement {job_id} of {of}.", code="judgement_not_found")
    if row is None:
        raise NotFoundError(f"There is no job {job_id}.", code="job_not_found")
    return _job(*row)


def load(session: Session, job_id: str) -> Job | None:
    """A job for the workers, whoever's it is; None when it has been deleted."""
    row = session.execute(_jobs().where(JobRow.id == job_id)).one_or_none()
    return _job(*row) if row else None


def page(session: Session, tenant: str, which: JobFilter, *, after: Position | None, limit: int) -> list[Job]:
    """A tenant's jobs, newest first, from behind `after` (creation time and id of the last one seen)."""
    query = _filtered(_jobs().where(JobRow.tenant == tenant, JobRow.completions_of == which.completions_of), which)
    rows = session.execute(newest_first(query, JobRow.created_at, JobRow.id, after=after, limit=limit))
    return [_job(*row) for row in rows]


def unended(session: Session, status: JobStatus | None, tenant: str | None, limit: int) -> list[Job]:
    """Jobs and judgements that have not ended, oldest first; None for any status, and for all tenants."""
    wanted = [status] if status else [each for each in JobStatus if not each.is_final]
    query = _jobs().where(JobRow.status.in_([each.value for each in wanted]))
    if tenant is not None:
        query = query.where(JobRow.tenant == tenant)
    rows = session.execute(query.order_by(JobRow.created_at, JobRow.id).limit(limit))
    return [_job(*row) for row in rows]


def lock(session: Session, job_id: str) -> None:
    """Keep everybody else from changing the job, or having it judged again, until the transaction ends."""
    session.execute(select(JobRow.id).where(JobRow.id == job_id).with_for_update())


def sealed_secrets(session: Session, job_id: str) -> bytes | None:
    """The job's encrypted secrets."""
    return session.scalar(select(JobRow.secrets).where(JobRow.id == job_id))


def move(
    session: Session,
    job_id: str,
    to: JobStatus,
    reason: StatusReason | None = None,
    *,
    only_from: Collection[JobStatus] | None = None,
) -> bool:
    """Bring a job to another state if the table of moves allows it from where it is; says whether it did."""
    allowed = sources(to) if only_from is None else sources(to).intersection(only_from)
    movable = update(JobRow).where(JobRow.id == job_id, JobRow.status.in_([state.value for state in allowed]))
    return changed(session, movable.values(_on_entering(to, reason))) == 1


def _on_entering(to: JobStatus, reason: StatusReason | None) -> dict[str, Any]:
    """What else changes with the state: the reason, the clock of the running time, when to wake, when it ended."""
    now, ran = database_now(), func.coalesce(database_now() - JobRow.running_since, 0.0)
    runs = to is JobStatus.RUNNING
    return {
        "status": to.value,
        "reason_code": reason.code if reason else None,
        "reason_message": reason.message if reason else None,
        "started_at": func.coalesce(JobRow.started_at, datetime.now(UTC)) if runs else JobRow.started_at,
        "running_since": now if runs else None,
        "active_seconds": JobRow.active_seconds + ran,
        "cut_off": 0 if runs else JobRow.cut_off,
        "wake_at": now + WAKE_SECONDS if to.is_active else None,
        "finished_at": datetime.now(UTC) if to.is_final else None,
    }


def complete(session: Session, job_id: str) -> bool:
    """Complete a running job if no batch is open; only one caller ever gets True.

    Locked first, so that nobody has completed it and opened batches again between the look and the move.
    """
    lock(session, job_id)
    open_batches = select(BatchRow.number).where(BatchRow.job_id == job_id, BatchRow.status != "done")
    if session.scalar(open_batches.limit(1)) is not None:
        return False
    return move(session, job_id, JobStatus.COMPLETED)


def delete_job(session: Session, job: Job) -> None:
    """Remove a job with all that hangs on it, its judgements too. The job must be locked."""
    judgements = JobRow.completions_of == job.id
    # Locked before anything goes, so that the worker of one that runs can't add to what is being removed.
    changed(session, update(JobRow).where(judgements).values(status=JobStatus.CANCELLED.value, wake_at=None))
    ids = select(JobRow.id).where(or_(JobRow.id == job.id, judgements))
    for table in (ResultRow, TallyRow, UsageRow, BatchRow, DeliveryRow):
        changed(session, delete(table).where(table.job_id.in_(ids)))
    changed(session, delete(JobRow).where(judgements))
    changed(session, delete(JobRow).where(JobRow.id == job.id))


def note_cut_off(session: Session, job_id: str, cases: int) -> None:
    """Count cases that were cut off to make room for other jobs."""
    changed(session, update(JobRow).where(JobRow.id == job_id).values(cut_off=JobRow.cut_off + cases))


def count_cut_off(session: Session, job_id: str) -> int:
    """How many cases were cut off to make room for other jobs since the job last began."""
    return session.scalar(select(JobRow.cut_off).where(JobRow.id == job_id)) or 0


def change_limits(session: Session, job_id: str, limits: Limits) -> None:
    """Give the job other limits."""
    changed(session, update(JobRow).where(JobRow.id == job_id).values(limits=asdict(limits)))


def count_by_status(session: Session) -> dict[JobStatus, int]:
    """How many jobs of all tenants stand in each state, judgements left out."""
    of_their_own = JobRow.completions_of.is_(None)
    rows = session.execute(select(JobRow.status, func.count()).where(of_their_own).group_by(JobRow.status))
    return {JobStatus(status): count for status, count in rows}


def _jobs() -> Select[JobRow, SuiteRow, float]:
    return select(JobRow, SuiteRow, database_now()).join(SuiteRow, SuiteRow.id == JobRow.suite_id)


def _filtered(query: Select[JobRow, SuiteRow, float], which: JobFilter) -> Select[JobRow, SuiteRow, float]:
    if which.status:
        query = query.where(JobRow.status == which.status.value)
    if which.model:
        query = query.where(JobRow.model == which.model)
    if which.label:
        name, value = which.label
        query = query.where(JobRow.labels[name].as_string() == value)
    if which.created_after:
        query = query.where(JobRow.created_at >= which.created_after)
    if which.created_before:
        query = query.where(JobRow.created_at < which.created_before)
    return query


def _thresholds_json(thresholds: Thresholds) -> dict[str, Any]:
    """Without what is null, so that a release that does not know a threshold can read the jobs that do not have it."""
    return {name: value for name, value in asdict(thresholds).items() if value is not None}


def _plugin_json(spec: PluginSpec) -> dict[str, Any]:
    return {"name": spec.name, "options": dict(spec.options)}


def _job(row: JobRow, suite: SuiteRow, now: float) -> Job:
    return Job(
        id=row.id,
        tenant=row.tenant,
        name=row.name,
        status=JobStatus(row.status),
        status_reason=StatusReason(row.reason_code, row.reason_message or "") if row.reason_code else None,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        target=PluginSpec(**row.target),
        judge=PluginSpec(**row.judge),
        suite=to_suite(suite),
        repeats=row.repeats,
        thresholds=Thresholds(**row.thresholds) if row.thresholds else None,
        labels=row.labels,
        limits=Limits(**row.limits),
        active_seconds=row.active_seconds + (now - row.running_since if row.running_since else 0.0),
        completions_of=row.completions_of,
        traceparent=row.traceparent,
        webhook=row.webhook,
    )
