"""Judgements as they are asked for, listed and shown."""

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, pre_load

from service.api.cursors import MAX_LENGTH, JudgementCursor
from service.api.schemas.base import Answer, Count, QueryInteger, Timestamp, UsageSchema, identifier
from service.api.schemas.jobs import StatusReasonSchema
from service.api.schemas.plugins import PluginField
from service.api.schemas.reports import PluginSchema
from service.api.schemas.verdicts import JudgementStatus
from service.judges.base import judges
from service.llm.fields import string


class JudgementSpecSchema(Schema):
    """Another judge for a finished job."""

    judge = PluginField(judges, required=True, metadata={"description": "Who gives the verdicts."})
    name = string(1, 200, load_default=None, allow_none=True)

    @pre_load
    def _refuse(self, data: Any, **_: Any) -> Any:
        if isinstance(data, Mapping) and "webhook" in data:
            raise ValidationError({"webhook": ["Webhooks tell of the ends of jobs: leave the field out and poll."]})
        return data


class JudgementProgressSchema(Answer):
    """How far a judgement is. done = safe + unsafe + unknown + errors, the job's own errors included."""

    total = Count()
    done = Count()
    safe = Count()
    unsafe = Count()
    unknown_ = Count(data_key="unknown", attribute="unknown")
    errors = Count()


class JudgementLinksSchema(Answer):
    """Where to go from here."""

    self_ = fields.String(data_key="self", attribute="self")
    results = fields.String()
    report = fields.String()
    agreement = fields.String()
    cancel = fields.String()
    resume = fields.String()
    retry = fields.String()


class JudgementSchema(Answer):
    """Another judge over the completions of a job. No field ever holds a secret."""

    id = identifier("jdg", attribute="judgement.id")
    job_id = identifier("job", attribute="judgement.completions_of")
    name = fields.String(attribute="judgement.name", allow_none=True)
    status = JudgementStatus(attribute="judgement.status")
    status_reason = fields.Nested(StatusReasonSchema, attribute="judgement.status_reason", allow_none=True)
    judge = fields.Nested(PluginSchema, attribute="judgement.judge")
    created_at = Timestamp(attribute="judgement.created_at")
    started_at = Timestamp(attribute="judgement.started_at", allow_none=True)
    finished_at = Timestamp(attribute="judgement.finished_at", allow_none=True)
    progress = fields.Nested(JudgementProgressSchema, attribute="job_view.progress")
    usage = fields.Nested(UsageSchema)
    links = fields.Nested(JudgementLinksSchema)


class JudgementPageSchema(Answer):
    """Judgements, newest first. `next_cursor` is null on the last page."""

    data = fields.List(fields.Nested(JudgementSchema))
    next_cursor = fields.String(allow_none=True)


class JudgementQuerySchema(Schema):
    """How many judgements to list at once."""

    limit = QueryInteger(1, 200, load_default=50)
    cursor = JudgementCursor(metadata={"description": "next_cursor of the page before.", "maxLength": MAX_LENGTH})

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {"limit": data["limit"], "after": data.get("cursor")}
