"""Stored targets as they are taken in, listed and shown."""

from typing import Any

from marshmallow import Schema, fields

from service.api.cursors import MAX_LENGTH, TargetCursor
from service.api.schemas.base import Answer, Count, QueryInteger, Timestamp, enum, identifier
from service.api.schemas.plugins import PluginField
from service.domain.completions import ErrorCode
from service.llm.fields import string
from service.targets.base import targets


class NewTargetSchema(Schema):
    """A target with a name. Its secrets are kept encrypted and never shown."""

    name = string(1, 200, required=True, metadata={"description": "To tell it from your others."})
    target = PluginField(targets, required=True, metadata={"description": "As in a job."})


class TargetOptionsSchema(Answer):
    """The kind of target with its options; secret ones are never shown."""

    type = fields.String(attribute="name")
    options = fields.Dict(metadata={"additionalProperties": True})


class TargetLinksSchema(Answer):
    """Where to go from here."""

    self_ = fields.String(data_key="self", attribute="self")
    test = fields.String()


class StoredTargetSchema(Answer):
    """A stored target. Jobs name it by `id` and keep a copy of their own."""

    id = identifier("target")
    name = fields.String()
    target = fields.Nested(TargetOptionsSchema)
    created_at = Timestamp()
    updated_at = Timestamp()
    links = fields.Method("_links")

    def _links(self, stored: Any) -> dict[str, str]:
        here = target_path(stored.id)
        return {"self": here, "test": f"{here}/test"}


def target_path(target_id: str) -> str:
    """Where a stored target is found."""
    return f"/v1/targets/{target_id}"


class TargetPageSchema(Answer):
    """Stored targets, newest first. `next_cursor` is null on the last page."""

    data = fields.List(fields.Nested(StoredTargetSchema))
    next_cursor = fields.String(allow_none=True)


class TargetQuerySchema(Schema):
    """How many targets at once."""

    limit = QueryInteger(1, 200, load_default=50)
    cursor = TargetCursor(metadata={"description": "next_cursor of the page before.", "maxLength": MAX_LENGTH})


class TrialErrorSchema(Answer):
    """Why the call brought no answer, in the words and classes of a job's errors."""

    code = enum(ErrorCode)
    message = fields.String()


class TrialSchema(Answer):
    """What came of one call. What the target said is not shown."""

    ok = fields.Boolean(metadata={"description": "Whether it answered; a refusal and a block are answers."})
    model = fields.String(allow_none=True)
    latency_ms = Count()
    error = fields.Nested(TrialErrorSchema, allow_none=True)
