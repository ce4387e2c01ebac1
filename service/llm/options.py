"""The options by which a client names a model: shared by every plug-in that calls one, and strict in their types."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import RAISE, Schema, ValidationError, fields, validate

MAX_CONCURRENCY = 1024
_PORT = r"(?:6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})"  # 1 to 65535
_HOST = r"(?:[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?|\[[0-9A-Fa-f:.]+\])"
_BASE_URL = rf"^https?://{_HOST}(?::{_PORT})?(?:/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?$"
_SURROGATES = re.compile("[\ud800-\udfff]")


class TextField(fields.String):
    """A string that can be stored and sent: no NUL and no lone surrogate."""

    default_error_messages: ClassVar[dict[str, str]] = {"unstorable": "Must not contain NUL or lone surrogates."}

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        text: str = super()._deserialize(value, attr, data, **kwargs)
        if "\x00" in text or _SURROGATES.search(text):
            raise self.make_error("unstorable")
        return text


class NumberField(fields.Float):
    """A JSON number; a string that holds one is not."""

    def _validated(self, value: Any) -> float:
        if not isinstance(value, int | float):
            raise self.make_error("invalid", input=value)
        return super()._validated(value)


class BooleanField(fields.Boolean):
    """A JSON boolean and nothing that resembles one."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


def integer(low: int, high: int, **options: Any) -> fields.Integer:
    """A JSON integer from `low` to `high`."""
    return fields.Integer(strict=True, validate=validate.Range(low, high), **options)


def number(low: float, high: float, **options: Any) -> NumberField:
    """A finite JSON number from `low` to `high`."""
    return NumberField(validate=validate.Range(low, high), **options)


def text_field(shortest: int, longest: int, **options: Any) -> TextField:
    """A storable string of that many characters."""
    pattern = Pattern(r"^[^\x00]*$", error="Must not contain NUL.")
    return TextField(validate=[validate.Length(shortest, longest), pattern], **options)


class Pattern(validate.Regexp):
    """A pattern that the whole string must match; Python's `$` alone would let a final newline pass."""

    def __call__(self, value: str) -> str:
        if not self.regex.fullmatch(value):
            raise ValidationError(self._format_error(value))
        return value


class BaseUrl(Pattern):
    """An http or https address without credentials, query or fragment."""

    def __init__(self) -> None:
        super().__init__(_BASE_URL, error="Must be an http:// or https:// address without query or fragment.")

    def __call__(self, value: str) -> str:
        if "@" in value.split("://", 1)[-1].split("/", 1)[0]:
            raise ValidationError("Must not contain a user or password: put the key in api_key.")
        return super().__call__(value)


class LimitOptions(Schema):
    """How hard a model may be driven. The limits hold across all workers and jobs that call it."""

    class Meta:
        unknown = RAISE

    max_concurrency = integer(
        1,
        MAX_CONCURRENCY,
        load_default=8,
        metadata={"description": "Most requests under way at once, over all workers."},
    )
    requests_per_minute = integer(
        1,
        10**9,
        load_default=None,
        allow_none=True,
        metadata={"description": "Most requests a minute, over all workers; null for no such limit."},
    )
    tokens_per_minute = integer(
        1,
        10**9,
        load_default=None,
        allow_none=True,
        metadata={"description": "Most tokens a minute, over all workers; null for no such limit."},
    )


class EndpointOptions(LimitOptions):
    """One model of an OpenAI-compatible server, and how to call it."""

    base_url = fields.String(
        required=True,
        validate=[validate.Length(8, 2048), BaseUrl()],
        metadata={"description": "Where /chat/completions begins, such as http://127.0.0.1:8081/v1."},
    )
    model = text_field(1, 200, required=True, metadata={"description": "The model's name at that server."})
    api_key = fields.String(
        load_default=None,
        allow_none=True,
        validate=[validate.Length(1, 4096), Pattern(r"^[!-~]+$", error="Must be printable ASCII without spaces.")],
        load_only=True,
        metadata={"secret": True, "description": "Sent as a bearer token, stored encrypted, never shown again."},
    )
    timeout_seconds = number(
        0.1,
        600,
        load_default=60.0,
        metadata={"description": "Limit of one attempt, from sending the request to having read the whole answer."},
    )
    max_attempts = integer(
        1, 10, load_default=5, metadata={"description": "Requests a call may take, the first included."}
    )


class SamplingParameters(Schema):
    """Parameters of a chat completion request, sent as given and only when given."""

    class Meta:
        unknown = RAISE

    error_messages: ClassVar[dict[str, str]] = {"unknown": "Is not among the parameters that can be set."}

    temperature = number(0, 2)
    top_p = number(0, 1)
    top_k = integer(-1, 10**6, metadata={"description": "Not known to OpenAI; vLLM, llama.cpp and SGLang take it."})
    min_p = number(0, 1, metadata={"description": "Not known to OpenAI; vLLM, llama.cpp and SGLang take it."})
    repetition_penalty = number(0, 10, metadata={"description": "Not known to OpenAI; vLLM and SGLang take it."})
    frequency_penalty = number(-2, 2)
    presence_penalty = number(-2, 2)
    max_tokens = integer(1, 10**6)
    max_completion_tokens = integer(1, 10**6, metadata={"description": "OpenAI's newer models take it for max_tokens."})
    seed = integer(-(2**63), 2**63 - 1)
    stop = fields.List(text_field(1, 1000), validate=validate.Length(1, 16))
    reasoning_effort = fields.String(validate=validate.OneOf(["none", "minimal", "low", "medium", "high", "xhigh"]))
