"""Webhooks as they are given with a job, and deliveries as they are shown."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates

from service.api.cursors import MAX_LENGTH, DeliveryCursor
from service.api.schemas.base import Answer, Count, QueryInteger, Timestamp, enum, identifier
from service.domain.deliveries import DeliveryError, DeliveryState
from service.domain.specs import Webhook
from service.domain.webhooks import key_of
from service.llm.fields import address, string


class WebhookSchema(Schema):
    """Whom to tell when the job has ended; see docs/webhooks.md."""

    url = address(
        required=True,
        metadata={
            "description": "Where events are sent. Its query is stored encrypted and never shown.",
            "example": "https://ci.example.org/hooks/proofhouse",
        },
    )
    secret = string(
        1,
        4096,
        required=True,
        load_only=True,
        metadata={
            "secret": True,
            "description": "Signs what is sent: a key in base64 behind `whsec_`, or any other text. Never shown.",
        },
    )

    @validates("secret")
    def _usable(self, secret: str, **_: Any) -> None:
        try:
            key_of(secret)
        except ValueError as error:
            raise ValidationError(str(error)) from None

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Webhook:
        return Webhook(**data)


class DeliveryErrorSchema(Answer):
    """Why an attempt was of no avail."""

    code = fields.String(attribute="value", validate=validate.OneOf([error.value for error in DeliveryError]))
    message = fields.String()


class JobWebhookSchema(Answer):
    """Whom the job's end is told, and how the newest delivery stands. `state` is null before the job has ended."""

    url = fields.String(attribute="address", metadata={"description": "Without its query."})
    state = enum(DeliveryState, attribute="delivery.state", dump_default=None, allow_none=True)
    attempts = Count(attribute="delivery.attempts", dump_default=0)
    next_attempt_at = Timestamp(attribute="delivery.next_attempt_at", dump_default=None, allow_none=True)
    last_status = fields.Integer(attribute="delivery.last_status", dump_default=None, allow_none=True)
    last_error = fields.Nested(DeliveryErrorSchema, attribute="delivery.last_error", dump_default=None, allow_none=True)


class DeliverySchema(Answer):
    """An event on its way to a job's webhook. `id` is the header `webhook-id` of every attempt."""

    id = identifier("msg")
    type = fields.String()
    created_at = Timestamp()
    state = enum(DeliveryState)
    attempts = Count(metadata={"description": "Attempts begun, counted anew when it is sent again on request."})
    next_attempt_at = Timestamp(
        allow_none=True, metadata={"description": "null when there is none to come, or one is under way."}
    )
    last_status = fields.Integer(
        allow_none=True, metadata={"description": "What the last attempt was answered with; null without an answer."}
    )
    last_error = fields.Nested(DeliveryErrorSchema, allow_none=True)


class DeliveryPageSchema(Answer):
    """Deliveries, newest first. `next_cursor` is null on the last page."""

    data = fields.List(fields.Nested(DeliverySchema))
    next_cursor = fields.String(allow_none=True)


class DeliveryQuerySchema(Schema):
    """How many deliveries to list at once."""

    limit = QueryInteger(1, 200, load_default=50)
    cursor = DeliveryCursor(metadata={"description": "next_cursor of the page before.", "maxLength": MAX_LENGTH})
