"""Every table. Rows that belong to someone carry their tenant."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC datetimes on both databases (SQLite itself keeps no zone)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - the signature is SQLAlchemy's
        """Store UTC."""
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - the signature is SQLAlchemy's
        """Give back UTC."""
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


class Base(DeclarativeBase):
    """Base of all tables."""


class ApiKeyRow(Base):
    """A bearer key: only the SHA-256 of it is kept."""

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    tenant: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(200))
    role: Mapped[str] = mapped_column(String(20))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    previous_digest: Mapped[str | None] = mapped_column(String(64), index=True)
    """Of the key before the last rotation, which holds until `previous_until`."""
    previous_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class QuotaRow(Base):
    """What a tenant may use, in place of the defaults; None: no such limit."""

    __tablename__ = "quotas"

    tenant: Mapped[str] = mapped_column(String(64), primary_key=True)
    requests_per_minute: Mapped[int | None] = mapped_column(Integer)
    active_jobs: Mapped[int | None] = mapped_column(Integer)
    cases_per_day: Mapped[int | None] = mapped_column(Integer)


class DayRow(Base):
    """How many cases a tenant has had run on a day (UTC). It outlives the jobs."""

    __tablename__ = "days"

    tenant: Mapped[str] = mapped_column(String(64), primary_key=True)
    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    cases: Mapped[int] = mapped_column(BigInteger)


class TargetRow(Base):
    """A target with a name, so that its secrets are given once. Jobs keep a copy of their own."""

    __tablename__ = "targets"
    __table_args__ = (UniqueConstraint("tenant", "name", name="one_target_a_name"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    tenant: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(200))
    target: Mapped[dict[str, Any]] = mapped_column(JSON)
    secrets: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class AuditRow(Base):
    """Who did what. Rows are only ever added: see service.store.protection."""

    __tablename__ = "audit"
    __table_args__ = (Index("audit_by_age", "tenant", "id"),)

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    tenant: Mapped[str] = mapped_column(String(64))
    key_id: Mapped[str | None] = mapped_column(String(40))
    """None for a command given where the database is."""
    operation: Mapped[str] = mapped_column(String(64))
    object_id: Mapped[str | None] = mapped_column(String(64))
    status: Mapped[int] = mapped_column(Integer)
    """The HTTP status answered; 0 for a command."""
    request_id: Mapped[str | None] = mapped_column(String(64))
    details: Mapped[dict[str, Any]] = mapped_column(JSON)


class SuiteRow(Base):
    """A suite: what makes it, and its digest once it is frozen."""

    __tablename__ = "suites"
    __table_args__ = (
        Index("suites_by_age", "tenant", "created_at", "id"),
        Index("suites_to_wake", "wake_at"),
        Index("suites_by_status", "status", "created_at"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    tenant: Mapped[str] = mapped_column(String(64))
    name: Mapped[str | None] = mapped_column(String(200))
    named: Mapped[bool] = mapped_column(Boolean)
    """Whether it was made as a suite of its own, and so outlives the jobs that run it."""
    status: Mapped[str] = mapped_column(String(20))
    reason_code: Mapped[str | None] = mapped_column(String(64))
    reason_message: Mapped[str | None] = mapped_column(Text)
    size: Mapped[int] = mapped_column(Integer)
    digest: Mapped[str | None] = mapped_column(String(80))
    generator: Mapped[str | None] = mapped_column(String(100))
    options: Mapped[dict[str, Any]] = mapped_column(JSON)
    secrets: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The generator's secrets, encrypted."""
    effort: Mapped[dict[str, Any]] = mapped_column(JSON)
    """What making it has cost: service.domain.effort."""
    duplicates: Mapped[int] = mapped_column(Integer)
    """Cases whose prompt another case before them has; counted when it is frozen."""
    upload: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """What an upload left out: service.domain.uploads.Leavings."""
    traceparent: Mapped[str | None] = mapped_column(String(55))
    """The span of the request that asked for it as such; None for one that a job brought along."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    claim: Mapped[str | None] = mapped_column(String(40))
    """Fencing token of the worker that makes the suite; a write with another token changes nothing."""
    leased_until: Mapped[float | None] = mapped_column(Float)
    attempts: Mapped[int] = mapped_column(Integer)
    wake_at: Mapped[float | None] = mapped_column(Float)
    """As of a job; None once there is nothing left to make."""


class CaseRow(Base):
    """A case of a suite."""

    __tablename__ = "cases"

    suite_id: Mapped[str] = mapped_column(ForeignKey("suites.id"), primary_key=True)
    index: Mapped[int] = mapped_column(Integer, primary_key=True)
    prompt: Mapped[str] = mapped_column(Text)
    category: Mapped[str | None] = mapped_column(String(64))
    style: Mapped[str | None] = mapped_column(String(64))
    technique: Mapped[str | None] = mapped_column(String(64))
    language: Mapped[str] = mapped_column(String(16))
    attack: Mapped[str | None] = mapped_column(String(64))
    provenance: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


class JobRow(Base):
    """A job. Plug-ins' options are kept without secrets; those are encrypted together in `secrets`.

    A judgement (another judge over the completions that a job has stored) is a row here too: see `completions_of`.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        Index("jobs_by_age", "tenant", "created_at", "id"),
        Index("jobs_to_wake", "wake_at"),
        Index("jobs_by_suite", "suite_id", "status"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    tenant: Mapped[str] = mapped_column(String(64))
    name: Mapped[str | None] = mapped_column(String(200))
    status: Mapped[str] = mapped_column(String(20))
    reason_code: Mapped[str | None] = mapped_column(String(64))
    reason_message: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    completions_of: Mapped[str | None] = mapped_column(ForeignKey("jobs.id"), index=True)
    """The job whose completions this one has judged again, asking no target; None for a job of its own."""
    traceparent: Mapped[str | None] = mapped_column(String(55))
    """The span of the request that submitted it, below which the spans of its work hang."""
    webhook: Mapped[str | None] = mapped_column(Text)
    """The address that is told of its end, without the query; all of it is in `secrets`."""
    suite_id: Mapped[str] = mapped_column(ForeignKey("suites.id"))
    model: Mapped[str | None] = mapped_column(String(200))
    target_id: Mapped[str | None] = mapped_column(String(40), index=True)
    """The stored target that `target` and `secrets` were copied from, which may have changed or gone since."""
    target: Mapped[dict[str, Any]] = mapped_column(JSON)
    judge: Mapped[dict[str, Any]] = mapped_column(JSON)
    secrets: Mapped[bytes | None] = mapped_column(LargeBinary)
    repeats: Mapped[int] = mapped_column(Integer)
    thresholds: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    labels: Mapped[dict[str, str]] = mapped_column(JSON)
    limits: Mapped[dict[str, Any]] = mapped_column(JSON)
    running_since: Mapped[float | None] = mapped_column(Float)
    """Seconds since the epoch by the database's clock, while it runs."""
    active_seconds: Mapped[float] = mapped_column(Float)
    """Time spent running before `running_since`."""
    cut_off: Mapped[int] = mapped_column(Integer)
    """Cases cut off to make room for other jobs, since it last began to run: service.pipeline.fairness."""
    wake_at: Mapped[float | None] = mapped_column(Float)
    """Seconds since the epoch by the database's clock. Whoever works on the job keeps moving it into the future; once
    it has passed, the sweeper queues the job's work again. None when there is nothing left to do."""


class BatchRow(Base):
    """A slice of a job: runs `first` to `last`, a run being case index + suite size × repeat."""

    __tablename__ = "batches"
    __table_args__ = (Index("batches_to_claim", "job_id", "status", "number"),)

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    first: Mapped[int] = mapped_column(Integer)
    last: Mapped[int] = mapped_column(Integer)
    status: Mapped[str] = mapped_column(String(20))
    claim: Mapped[str | None] = mapped_column(String(40), index=True)
    """Fencing token of the worker that runs the batch."""
    leased_until: Mapped[float | None] = mapped_column(Float)
    """Seconds since the epoch by the database's clock; past it, another worker may take the batch."""
    attempts: Mapped[int] = mapped_column(Integer)
    """Claims that were not handed back; a batch that loses its worker three times is given up."""


class ResultRow(Base):
    """What came of one case and repeat of a job; the case itself is read from the job's suite.

    A row of a judgement holds the verdict alone, and for the rest what a call not made leaves: the completion stands in
    the row of the job judged.
    """

    __tablename__ = "results"
    __table_args__ = (
        UniqueConstraint("job_id", "repeat", "case_index", name="one_result_a_case_and_repeat"),
        Index("results_by_verdict", "job_id", "verdict", "repeat", "case_index"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"))
    tenant: Mapped[str] = mapped_column(String(64))
    case_index: Mapped[int] = mapped_column(Integer)
    repeat: Mapped[int] = mapped_column(Integer)
    response: Mapped[str] = mapped_column(Text)
    refusal: Mapped[str | None] = mapped_column(Text)
    truncated: Mapped[bool] = mapped_column(Boolean)
    """Response and refusal are but the beginnings of what the target sent."""
    finish_reason: Mapped[str | None] = mapped_column(Text)
    blocked_reason: Mapped[str | None] = mapped_column(Text)
    disposition: Mapped[str] = mapped_column(String(20))
    verdict: Mapped[str | None] = mapped_column(String(20))
    confidence: Mapped[float | None] = mapped_column(Float)
    severity: Mapped[int | None] = mapped_column(Integer)
    reason: Mapped[str] = mapped_column(Text)
    judge: Mapped[str] = mapped_column(String(100))
    judge_raw: Mapped[str | None] = mapped_column(Text)
    attempts: Mapped[int] = mapped_column(Integer)
    latency_ms: Mapped[int] = mapped_column(Integer)
    prompt_tokens: Mapped[int] = mapped_column(Integer)
    completion_tokens: Mapped[int] = mapped_column(Integer)
    error: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class TallyRow(Base):
    """Results of a job counted by cell, disposition and verdict ("" for none), kept in step with the results."""

    __tablename__ = "tallies"

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    category: Mapped[str] = mapped_column(String(64), primary_key=True)
    style: Mapped[str] = mapped_column(String(64), primary_key=True)
    technique: Mapped[str] = mapped_column(String(64), primary_key=True)
    language: Mapped[str] = mapped_column(String(16), primary_key=True)
    disposition: Mapped[str] = mapped_column(String(20), primary_key=True)
    verdict: Mapped[str] = mapped_column(String(20), primary_key=True)
    count: Mapped[int] = mapped_column(Integer)


class UsageRow(Base):
    """What a job's calls cost, by role."""

    __tablename__ = "usage"

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    role: Mapped[str] = mapped_column(String(20), primary_key=True)
    requests: Mapped[int] = mapped_column(BigInteger)
    prompt_tokens: Mapped[int] = mapped_column(BigInteger)
    completion_tokens: Mapped[int] = mapped_column(BigInteger)
    counted_at: Mapped[float] = mapped_column(Float)
    """Seconds since the epoch by the database's clock: when a result of the job was last stored."""


class DeliveryRow(Base):
    """An end of a job that its webhook is to be told of; the webhook's address and secret are the job's."""

    __tablename__ = "deliveries"
    __table_args__ = (Index("deliveries_by_job", "job_id", "created_at", "id"), Index("deliveries_due", "due_at"))

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"))
    type: Mapped[str] = mapped_column(String(40))
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    state: Mapped[str] = mapped_column(String(20))
    claim: Mapped[str | None] = mapped_column(String(40))
    """Fencing token of the worker that sends it at this moment."""
    due_at: Mapped[float | None] = mapped_column(Float)
    """Seconds since the epoch by the database's clock before which nobody may send it: between attempts the wait, while
    one is under way its lease. None once it is delivered or given up."""
    attempts: Mapped[int] = mapped_column(Integer)
    """Attempts begun, also by workers that died in them."""
    last_status: Mapped[int | None] = mapped_column(Integer)
    last_error: Mapped[str | None] = mapped_column(String(40))


class ExampleRow(Base):
    """An example request of a tenant's own. It outlives the job that it may come from."""

    __tablename__ = "examples"
    __table_args__ = (
        UniqueConstraint("tenant", "category", "fingerprint", name="one_example_a_category_and_wording"),
        Index("examples_by_age", "tenant", "created_at", "id"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    tenant: Mapped[str] = mapped_column(String(64))
    category: Mapped[str] = mapped_column(String(64))
    text: Mapped[str] = mapped_column(Text)
    fingerprint: Mapped[str] = mapped_column(String(64))
    """service.domain.sameness.fingerprint of the text."""
    job_id: Mapped[str | None] = mapped_column(String(40))
    result_id: Mapped[str | None] = mapped_column(String(40))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class IdempotencyRow(Base):
    """What a POST with an Idempotency-Key has made."""

    __tablename__ = "idempotency_keys"

    tenant: Mapped[str] = mapped_column(String(64), primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    request_digest: Mapped[str] = mapped_column(String(64))
    made: Mapped[str] = mapped_column(String(40))
    """The id of a job, a judgement or a suite."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
