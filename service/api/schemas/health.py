"""Health as JSON."""

from marshmallow import fields, validate

from service.api.schemas.base import Answer, Count
from service.api.schemas.problems import ProblemSchema


class LivenessSchema(Answer):
    """The process answers."""

    status = fields.String(validate=validate.Equal("ok"))


class PartSchema(Answer):
    """One thing that the API needs."""

    status = fields.String(validate=validate.OneOf(["ok", "failed"]))
    message = fields.String()


class WorkersSchema(Answer):
    """The workers heard of lately; they don't decide whether the API is ready. null when Redis can't be asked."""

    count = Count(allow_none=True)
    message = fields.String()


class ChecksSchema(Answer):
    """What was checked."""

    database = fields.Nested(PartSchema)
    redis = fields.Nested(PartSchema)
    workers = fields.Nested(WorkersSchema)


class ReadinessSchema(Answer):
    """The API can do its work."""

    status = fields.String(validate=validate.Equal("ready"))
    checks = fields.Nested(ChecksSchema)


class NotReadySchema(ProblemSchema):
    """The API can't do its work; `checks` says why."""

    checks = fields.Nested(ChecksSchema)
