"""Errors as they are described to clients."""

from marshmallow import INCLUDE, fields

from service.api.schemas.base import Answer


class FieldErrorSchema(Answer):
    """One thing that is wrong with a request."""

    pointer = fields.String(
        metadata={"description": "JSON pointer into the body; for a parameter, / and its name.", "example": "/repeats"}
    )
    message = fields.String()


class ProblemSchema(Answer):
    """An error (RFC 9457). `code` is stable and for scripts; `detail` is for people and says what to do."""

    class Meta:
        """Members beside these are allowed."""

        unknown = INCLUDE

    type = fields.String(metadata={"example": "urn:proofhouse:problem:validation_failed"})
    title = fields.String()
    status = fields.Integer()
    detail = fields.String()
    code = fields.String(metadata={"example": "validation_failed"})
    request_id = fields.String(metadata={"description": "Also in the header X-Request-ID and in the service's log."})
    errors = fields.List(fields.Nested(FieldErrorSchema))
