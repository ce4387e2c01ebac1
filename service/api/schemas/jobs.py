"""Jobs as they are listed and shown."""

from typing import Any

from marshmallow import Schema, fields, post_load, validate

from service.api.cursors import MAX_LENGTH, JobCursor
from service.api.schemas.base import (
    Answer,
    Count,
    Pattern,
    PluginSummarySchema,
    QueryInteger,
    Share,
    Timestamp,
    UsageByRoleSchema,
    digest,
    enum,
    identifier,
)
from service.api.schemas.webhooks import JobWebhookSchema
from service.domain.gates import GateStatus
from service.domain.lifecycle import JobStatus
from service.llm.fields import string
from service.store.jobs import JobFilter


class StatusReasonSchema(Answer):
    """Why a job stands where it stands."""

    code = fields.String()
    message = fields.String()


class JobSuiteSchema(Answer):
    """The suite that a job runs. `digest` is null until the suite is frozen."""

    id = identifier("suite")
    digest = digest()
    size = Count()


class ProgressSchema(Answer):
    """How far a job is. done = safe + unsafe + unknown + errors."""

    total = Count()
    done = Count()
    safe = Count()
    unsafe = Count()
    unknown_ = Count(data_key="unknown", attribute="unknown")
    errors = Count()
    answered = Count()
    refused = Count()
    blocked = Count()
    rate_per_second = fields.Float(
        allow_none=True, metadata={"description": "Results a second since the job began to run; null before the first."}
    )
    eta_seconds = Count(
        allow_none=True, metadata={"description": "Time left at this rate; null when not running or not known."}
    )


class CheckSchema(Answer):
    """One threshold held against what was measured; `actual` is null when there was nothing to measure."""

    name = fields.String()
    limit = Share()
    actual = Share(allow_none=True)
    status = enum(GateStatus)


class GateSchema(Answer):
    """Whether a completed job kept to its thresholds; `none` when it has none or is not completed."""

    status = enum(GateStatus)
    checks = fields.List(fields.Nested(CheckSchema))


class ThresholdsAnswer(Answer):
    """The thresholds that the job was given."""

    max_unsafe_rate = Share(allow_none=True)
    max_error_rate = Share(allow_none=True)
    max_unknown_rate = Share(allow_none=True)
    by_category = fields.Dict(keys=fields.String(), values=Share())


class LimitsAnswer(Answer):
    """What the job may spend before it is paused; null where there is no limit."""

    max_requests = Count(allow_none=True)
    max_total_tokens = Count(allow_none=True)
    max_duration_seconds = Count(allow_none=True)


class LinksSchema(Answer):
    """Where to go from here."""

    self_ = fields.String(data_key="self", attribute="self")
    results = fields.String()
    report = fields.String()
    judgements = fields.String()
    deliveries = fields.String()
    cancel = fields.String()
    pause = fields.String()
    resume = fields.String()
    retry = fields.String()


class JobSchema(Answer):
    """A test job. No field ever holds a secret."""

    id = identifier("job", attribute="job.id")
    name = fields.String(attribute="job.name", allow_none=True)
    status = enum(JobStatus, attribute="job.status")
    status_reason = fields.Nested(StatusReasonSchema, attribute="job.status_reason", allow_none=True)
    created_at = Timestamp(attribute="job.created_at")
    started_at = Timestamp(attribute="job.started_at", allow_none=True)
    finished_at = Timestamp(attribute="job.finished_at", allow_none=True)
    target = fields.Nested(PluginSummarySchema, attribute="job.target")
    judge = fields.Nested(PluginSummarySchema, attribute="job.judge")
    suite = fields.Nested(JobSuiteSchema, attribute="job.suite")
    repeats = fields.Integer(attribute="job.repeats")
    thresholds = fields.Nested(ThresholdsAnswer, attribute="job.thresholds", allow_none=True)
    limits = fields.Nested(LimitsAnswer, attribute="job.limits")
    labels = fields.Dict(keys=fields.String(), values=fields.String(), attribute="job.labels")
    progress = fields.Nested(ProgressSchema)
    usage = fields.Nested(UsageByRoleSchema)
    gate = fields.Nested(GateSchema)
    webhook = fields.Nested(JobWebhookSchema, allow_none=True)
    links = fields.Nested(LinksSchema)


class JobPageSchema(Answer):
    """Jobs, newest first. `next_cursor` is null on the last page."""

    data = fields.List(fields.Nested(JobSchema))
    next_cursor = fields.String(allow_none=True)


class JobQuerySchema(Schema):
    """Which jobs to list, and how many at once."""

    status = enum(JobStatus)
    model = string(1, 200, metadata={"description": "The target's model, exactly."})
    label = fields.String(
        validate=Pattern(r"^[A-Za-z0-9_.-]{1,63}:[^\x00]{0,256}$", error="Write it as name:value."),
        metadata={"description": "A label as `name:value`.", "example": "team:platform"},
    )
    created_after = Timestamp(metadata={"description": "Created at this time or later."})
    created_before = Timestamp(metadata={"description": "Created before this time."})
    limit = QueryInteger(1, 200, load_default=50)
    cursor = JobCursor(
        metadata={"description": "next_cursor of the page before.", "maxLength": MAX_LENGTH},
    )

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        limit, after = data.pop("limit"), data.pop("cursor", None)
        if label := data.pop("label", None):
            data["label"] = tuple(label.split(":", 1))
        return {"which": JobFilter(**data), "after": after, "limit": limit}


class IdempotencySchema(Schema):
    """Headers of a POST that may be sent twice."""

    key = fields.String(
        data_key="Idempotency-Key",
        validate=[validate.Length(1, 255), Pattern(r"^[!-~]+$", error="Use printable ASCII without spaces.")],
        metadata={"description": "The same key with the same body gives what was made first, for a day."},
    )
