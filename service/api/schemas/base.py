"""What our schemas have in common: the shape of answers, and the fields that marshmallow lacks."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)")


_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


class Answer(Schema):
    """Base of what is sent: every field is always there, null where there is nothing."""

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        """Say so in the API's description."""
        del field_name
        field_obj.required = True


class Pattern(validate.Regexp):
    """A pattern that the whole string must match; Python's `$` alone would let a final newline pass."""

    def __call__(self, value: Any) -> Any:
        """Raises ValidationError if it doesn't."""
        if not self.regex.fullmatch(value):
            raise ValidationError(self._format_error(value))
        return value


class Timestamp(fields.DateTime):
    """RFC 3339, sent in UTC."""

    def _serialize(self, value: datetime | None, attr: str | None, obj: Any, **_: Any) -> str | None:
        del attr, obj
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z") if value else None

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> datetime:
        del attr, data
        if not isinstance(value, str) or not _RFC_3339.fullmatch(value):
            raise ValidationError("Write it as in RFC 3339 with an offset, such as 2026-01-31T12:00:00Z.")
        try:
            return datetime.fromisoformat(value.upper()).astimezone(UTC)
        except ValueError:
            raise ValidationError("There is no such date or time.") from None
        except OverflowError:  # the first or last hours of the calendar, elsewhere on earth
            return _FIRST if value.startswith("0001") else _LAST


class Count(fields.Integer):
    """A number that is never negative."""

    def __init__(self, **options: Any) -> None:
        super().__init__(validate=validate.Range(0), **options)


class Share(fields.Float):
    """A number from 0 to 1."""

    def __init__(self, **options: Any) -> None:
        super().__init__(validate=validate.Range(0, 1), **options)


class QueryInteger(fields.Integer):
    """An integer in a query string: decimal digits and nothing else."""

    def __init__(self, low: int, high: int, **options: Any) -> None:
        super().__init__(validate=validate.Range(low, high), **options)

    def _validated(self, value: Any) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", str(value)):
            raise self.make_error("invalid", input=value)
        return int(value)


def enum(kind: type[StrEnum], **options: Any) -> fields.Enum[Any]:
    """One of our words, by its value."""
    return fields.Enum(kind, by_value=fields.String, **options)


def identifier(prefix: str, **options: Any) -> fields.String:
    """An id of ours."""
    return fields.String(validate=validate.Regexp(rf"^{prefix}_[0-9a-f]{{24}}$"), **options)


def digest() -> fields.String:
    """What identifies the cases of a frozen suite; null before."""
    return fields.String(allow_none=True, validate=validate.Regexp(r"^sha256:[0-9a-f]{64}$"))


class PluginSummarySchema(Answer):
    """Which plug-in, and which model it calls if it calls one."""

    type = fields.String(attribute="name")
    base_url = fields.String(attribute="options.base_url", dump_default=None, allow_none=True)
    model = fields.String(attribute="options.model", dump_default=None, allow_none=True)


class UsageSchema(Answer):
    """What calls to one model cost: HTTP requests, retries included, and tokens as its server counts them."""

    requests = Count()
    prompt_tokens = Count()
    completion_tokens = Count()


class UsageByRoleSchema(Answer):
    """What calls cost, by what the model was called for."""

    target = fields.Nested(UsageSchema)
    judge = fields.Nested(UsageSchema)
