"""Strict fields for options: JSON types as they are, text that can be stored, and JSON schemas that say as much."""

import re
from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, validate

from service.llm import guard

MOST_WRONG = 100
"""Members of one list that are told to be wrong: what is wrong with a hundred is wrong with the rest."""
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_CONTROL = re.compile("[\x00-\x1f\x7f]")
_PORT = r"(?:6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})"  # 1 to 65535
_DEFAULT_PORTS = {"http": 80, "https": 443}
_GROUP = "[0-9A-Fa-f]{1,4}"
_IPV6 = "|".join(  # written out, then with :: behind so many groups; RFC 4291, section 2.2
    [
        rf"(?:{_GROUP}:){{7}}{_GROUP}",
        *(rf"(?:{_GROUP}:){{{n}}}(?::{_GROUP}){{1,{7 - n}}}" for n in range(1, 7)),
        rf"(?:{_GROUP}:){{1,7}}:",
        rf":(?:(?::{_GROUP}){{1,7}}|:)",
    ]
)
_HOST = rf"(?:[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?|\[(?:{_IPV6})\])"
_BASE_URL = rf"^https?://{_HOST}(?::{_PORT})?(?:/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?$"
_ADDRESS = rf"{_BASE_URL[:-1]}(?:\?[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?$"


class NumberField(fields.Float):
    """A JSON number; a string that holds one is not."""

    def _validated(self, value: Any) -> float:
        if not isinstance(value, int | float):
            raise self.make_error("invalid", input=value)
        return super()._validated(value)


class BooleanField(fields.Boolean):
    """A JSON boolean and nothing that resembles one."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return bool(super()._deserialize(value, *args, **kwargs))


class List(fields.List[Any]):
    """A list from a client. Its length is checked before its members are, and those no further than MOST_WRONG are."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> list[Any]:
        del attr, data
        if not isinstance(value, list):
            raise self.make_error("invalid")
        for check in self.validators:
            if isinstance(check, validate.Length):
                check(value)
        read, wrong = [], {}
        for index, each in enumerate(value):
            try:
                read.append(self.inner.deserialize(each, **kwargs))
            except ValidationError as error:
                wrong[index] = error.messages
                if len(wrong) == MOST_WRONG:
                    break
        if wrong:
            raise ValidationError(wrong)
        return read


class Table(fields.Dict):
    """An object with names that clients choose. Errors point at the name, whichever of name and value is wrong."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        try:
            return super()._deserialize(value, attr, data, **kwargs)  # type: ignore[no-untyped-call] # marshmallow's Dict has no types here
        except ValidationError as error:
            messages: dict[str, Any] = error.normalized_messages()
            if set(messages) == {"_schema"}:
                raise
            merged = {name: [*parts.get("key", ()), *parts.get("value", ())] for name, parts in messages.items()}
            raise ValidationError(merged) from None


def integer(low: int, high: int, **options: Any) -> fields.Integer:
    """A JSON integer from `low` to `high`."""
    return fields.Integer(strict=True, validate=validate.Range(low, high), **options)


def number(low: float, high: float, **options: Any) -> NumberField:
    """A finite JSON number from `low` to `high`."""
    return NumberField(validate=validate.Range(low, high), **options)


def string(shortest: int, longest: int, **options: Any) -> fields.String:
    """A string of that many characters that can be stored and sent: no NUL, no lone surrogate."""
    no_nul = validate.Regexp(r"^[^\x00]*$", error="Must not contain NUL.")
    return fields.String(validate=[validate.Length(shortest, longest), no_nul, storable], **options)


def base_url(**options: Any) -> fields.String:
    """An http or https address without credentials, query or fragment."""
    address = validate.Regexp(_BASE_URL, error="Must be an http:// or https:// address without query or fragment.")
    return fields.String(validate=[validate.Length(8, 2048), address, _without_user, one_line, _reachable], **options)


def address(**options: Any) -> fields.String:
    """An http or https address, with a query if need be, without credentials or fragment."""
    pattern = validate.Regexp(_ADDRESS, error="Must be an http:// or https:// address without user or fragment.")
    return fields.String(validate=[validate.Length(8, 2048), pattern, one_line, _reachable], **options)


def secret(description: str) -> fields.String:
    """A credential, null by default: stored encrypted, never shown; printable, since it becomes a header."""
    printable = validate.Regexp(r"^[!-~]+$", error="Must be printable ASCII without spaces.")
    return fields.String(
        load_default=None,
        allow_none=True,
        load_only=True,
        validate=[validate.Length(1, 4096), printable, one_line],
        metadata={"secret": True, "description": description},
    )


def storable(value: str) -> None:
    """Validator.

    Raises:
        ValidationError: the text holds NUL or a lone surrogate.
    """
    if _UNSTORABLE.search(value):
        raise ValidationError("Must not contain NUL or lone surrogates.")


def one_line(value: str) -> None:
    """Validator; a pattern's `$` alone would let a final newline pass.

    Raises:
        ValidationError: the text holds a control character.
    """
    if _CONTROL.search(value):
        raise ValidationError("Must not contain control characters.")


def _reachable(value: str) -> None:
    """Validator: a courtesy, since the guard looks at every connection, and at what names stand for."""
    found = re.match(rf"(https?)://({_HOST})(?::({_PORT}))?", value)
    if not found:
        return
    scheme, host, port = found.groups()
    refused = guard.refused_at_sight(host, int(port or _DEFAULT_PORTS[scheme]))
    if refused:
        raise ValidationError(
            f"Must not be at {refused}, unless the operator adds its network to PROOFHOUSE_ALLOWED_NETWORKS."
        )


def _without_user(value: str) -> None:
    if "@" in value.partition("://")[2].partition("/")[0]:
        raise ValidationError("Must not contain a user or password: put the key in api_key.")
