"""The audit log as it is read."""

from typing import Any

from marshmallow import Schema, fields, post_load, validate

from service.api.cursors import MAX_LENGTH, AuditCursor
from service.api.schemas.base import Answer, QueryInteger, Timestamp
from service.llm.fields import string
from service.store.audit import EntryFilter


class EntrySchema(Answer):
    """One thing done or refused."""

    number = fields.Integer(metadata={"description": "Its place in the log."})
    created_at = Timestamp()
    key_id = fields.String(allow_none=True, metadata={"description": "null for a command given at the database."})
    operation = fields.String(metadata={"description": "An operationId, or the words of a command."})
    object_id = fields.String(allow_none=True, metadata={"description": "What it was done to, or what it made."})
    status = fields.Integer(
        validate=validate.Range(0, 599), metadata={"description": "The HTTP status answered; 0 for a command."}
    )
    request_id = fields.String(allow_none=True)
    details = fields.Dict(
        metadata={
            "additionalProperties": True,
            "description": "Of a command: the `os_user` who gave it, a key's role and expiry, a quota's values.",
        }
    )


class EntryPageSchema(Answer):
    """Entries, newest first. `next_cursor` is null on the last page."""

    data = fields.List(fields.Nested(EntrySchema))
    next_cursor = fields.String(allow_none=True)


class EntryQuerySchema(Schema):
    """Which entries to list, and how many at once."""

    key_id = string(1, 64)
    operation = string(1, 64)
    object_id = string(1, 64)
    created_after = Timestamp()
    created_before = Timestamp()
    limit = QueryInteger(1, 200, load_default=50)
    cursor = AuditCursor(metadata={"description": "next_cursor of the page before.", "maxLength": MAX_LENGTH})

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        paging = {"limit": data.pop("limit"), "after": data.pop("cursor", None)}
        return {"which": EntryFilter(**data), **paging}
