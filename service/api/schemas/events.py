"""Events as webhooks receive them, for the API's description; service.domain.webhooks writes them."""

from marshmallow import fields, validate

from service.api.schemas.base import Answer, Count, Timestamp, identifier
from service.api.schemas.jobs import GateSchema, StatusReasonSchema
from service.domain.lifecycle import FINAL

ENDS = sorted(status.value for status in FINAL)


class EventProgressSchema(Answer):
    """How far the job came. done = safe + unsafe + unknown + errors."""

    total = Count()
    done = Count()
    safe = Count()
    unsafe = Count()
    unknown_ = Count(data_key="unknown", attribute="unknown")
    errors = Count()
    answered = Count()
    refused = Count()
    blocked = Count()


class EventLinksSchema(Answer):
    """Where to look, below the service's address."""

    self_ = fields.String(data_key="self", attribute="self")
    results = fields.String()
    report = fields.String()


class EventDataSchema(Answer):
    """The job as it was when it ended: no prompt, no answer, no key."""

    id = identifier("job")
    name = fields.String(allow_none=True)
    status = fields.String(validate=validate.OneOf(ENDS))
    status_reason = fields.Nested(StatusReasonSchema, allow_none=True)
    progress = fields.Nested(EventProgressSchema)
    gate = fields.Nested(GateSchema)
    labels = fields.Dict(keys=fields.String(), values=fields.String())
    links = fields.Nested(EventLinksSchema)


class EventSchema(Answer):
    """The end of a job. `timestamp` is when it ended."""

    type = fields.String(validate=validate.OneOf([f"job.{end}" for end in ENDS]))
    timestamp = Timestamp()
    data = fields.Nested(EventDataSchema)
