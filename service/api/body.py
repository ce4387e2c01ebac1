"""Reading requests: strict JSON, and validation errors that point at what is wrong."""

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple, NoReturn

from flask import Request
from marshmallow import RAISE, Schema, ValidationError
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import UnsupportedMediaType

from service.api import payload
from service.api.problems import MAX_ERRORS
from service.errors import InvalidError

MAX_DEPTH = 32
"""Lists and objects within each other; what the API takes has some six."""

MAX_VALUES = 250_000
"""Commas and opening brackets of a body; what the API takes has some 60,000. Each may stand for 80 bytes of memory."""
MAX_FIELDS = 1024
"""Of one object; what the API takes has some thirty, but a model's `logit_bias` may have hundreds."""

_UP_TO_VALUE = re.compile(rb'(?:[^,\[{"]++|"(?:[^"\\]++|\\.)*+"?)*+(?:[,\[{]|\Z)', re.DOTALL)
"""What comes before a value, strings with all that is in them included; matches without going back."""
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class InvalidJsonError(InvalidError):
    """The body is no JSON."""

    code = "invalid_json"
    status = 400
    title = "Invalid JSON"


class TooDeepError(InvalidJsonError):
    """It may be JSON, but nobody means it."""

    code = "json_too_deep"


class TooManyValuesError(InvalidJsonError):
    """It is JSON that takes many times its size in memory."""

    code = "json_too_many_values"


class RequestParser(FlaskParser):
    """Loads arguments from a request; unknown query parameters are refused as unknown fields of a body are."""

    DEFAULT_UNKNOWN_BY_LOCATION: dict[str, str | None] = {  # noqa: RUF012 - declared so by webargs
        **FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION,
        "query": RAISE,
    }

    def load_json(self, req: Request, schema: Schema) -> Any:
        """The body, which must be JSON in UTF-8; a schema may let it be left out."""
        if getattr(schema, "may_be_absent", False) and not payload.read(req):
            return {}
        if req.mimetype != "application/json":
            raise UnsupportedMediaType
        return parse_json(payload.read(req))

    def handle_error(self, error: ValidationError, req: Request, schema: Schema, **_: Any) -> NoReturn:
        """Answer with the JSON pointers of all that is wrong."""
        del req, schema
        [(location, messages)] = error.normalized_messages().items()
        errors = tuple(pointers(messages))
        where = {"json": "body", "query": "query string", "headers": "headers"}[location]
        first, more = " ".join(errors[0]).strip(), len(errors) - 1
        shown = f" for the first {MAX_ERRORS}" if len(errors) > MAX_ERRORS else ""
        also = f" And {more:,} more: see `errors`{shown}." if more else ""
        raise InvalidError(f"In the {where}: {first}{also}", errors=errors)


def parse_json(data: bytes) -> Any:
    """A JSON value that all of the service can keep: finite numbers, storable strings, few names and none twice.

    Raises:
        InvalidJsonError: it is no JSON, or not in UTF-8, or nested too deeply (TooDeepError), or of too many values
            (TooManyValuesError).
        InvalidError: a string holds NUL or half a surrogate pair.
    """
    # Beside one for each it finds two at the end: what comes after the last, and nothing.
    if next(islice(_UP_TO_VALUE.finditer(data), MAX_VALUES + 2, None), None):
        raise TooManyValuesError(f"The body has more than {MAX_VALUES:,} values; send less at once.")
    try:
        value = json.loads(
            data.decode(), parse_constant=_refuse_constant, parse_float=_finite, object_pairs_hook=_object
        )
    except RecursionError:
        raise _too_deep() from None
    except ValueError as error:
        reason = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
        raise InvalidJsonError(f"The body is not valid JSON: {reason}.") from None
    if _is_too_deep(value):
        raise _too_deep()
    # Neither can stand in JSON but as an escape, which hardly any body holds.
    if b"\\u" in data and (found := _unstorable(value)) is not None:
        message = "Must not contain NUL or lone surrogates."
        raise InvalidError(f"The body holds text that can't be stored, at {found or '/'}.", errors=((found, message),))
    return value


def pointers(messages: Any, at: str = "") -> Iterator[tuple[str, str]]:
    """Marshmallow's nested messages as (JSON pointer, message) pairs."""
    if isinstance(messages, Mapping):
        for name, inner in messages.items():
            yield from pointers(inner, at if name == "_schema" else at + _step(name))
    elif isinstance(messages, str):
        yield at, messages
    else:
        for message in messages:
            yield from pointers(message, at)


def _is_too_deep(value: Any) -> bool:
    """Goes through the value a level at a time."""
    level = [value] if isinstance(value, list | dict) else []
    for _ in range(MAX_DEPTH):
        inner = (member for each in level for member in (each.values() if isinstance(each, dict) else each))
        level = [each for each in inner if isinstance(each, list | dict)]
    return bool(level)


def _too_deep() -> TooDeepError:
    return TooDeepError(f"The body has more than {MAX_DEPTH} lists and objects within each other; send a flatter one.")


def _step(name: Any) -> str:
    # A name may hold half a surrogate pair if it is refused for it.
    return "/" + str(name).replace("~", "~0").replace("/", "~1")


def _unstorable(value: Any) -> str | None:
    """The pointer of a string or name that can't be stored. Goes through the value without recursion."""
    to_do: list[_Place] = [_Place(None, "", value)]
    while to_do:
        place = to_do.pop()
        value = place.value
        if isinstance(value, str) and _UNSTORABLE.search(value):
            return place.pointer()
        if isinstance(value, list | dict):
            members: Iterable[tuple[Any, Any]] = enumerate(value) if isinstance(value, list) else value.items()
            for name, member in members:
                if isinstance(name, str) and _UNSTORABLE.search(name):
                    return place.pointer()  # the name itself can't be shown, hence its object
                if isinstance(member, str | list | dict):
                    to_do.append(_Place(place, name, member))
    return None


class _Place(NamedTuple):
    """A value in a body. Only the one that is told of gets a pointer, which may be as long as the body."""

    parent: "_Place | None"
    name: str | int
    value: Any

    def pointer(self) -> str:
        steps, place = [], self
        while place.parent:
            steps.append(_step(place.name))
            place = place.parent
        return "".join(reversed(steps))


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _finite(digits: str) -> float:
    """A number with a fraction or an exponent; in JSON Schema, 1.0 and 1e2 are integers too."""
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"{digits[:20]} is too large a number")
    return int(number) if number.is_integer() else number


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object that names its fields once each, and not so many that to refuse them one by one takes long."""
    if len(members) > MAX_FIELDS:
        raise ValueError(f"an object has more than {MAX_FIELDS} fields")
    found = dict(members)
    if len(found) < len(members):
        raise ValueError("an object names a field twice")
    return found
