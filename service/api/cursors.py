"""Cursors: where a page ended, opaque to clients and versioned, so that their content may change."""

import base64
import binascii
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from marshmallow import fields

from service.errors import InvalidError

VERSION = 1
MAX_LENGTH = 256
_MAX_INTEGER = 2**31 - 1


class _Cursor(fields.String):
    """A cursor of one kind of list."""

    kind: str

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        text: str = super()._deserialize(value, attr, data, **kwargs)
        try:
            return self.position(_decode(text, self.kind))
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            message = "Use the next_cursor of an earlier page of the same list, unchanged."
            raise InvalidError(message, code="invalid_cursor", errors=(("/cursor", message),)) from None

    def position(self, after: list[Any]) -> Any:
        """The position in the list; raises ValueError if it can't be one."""
        raise NotImplementedError


class JobCursor(_Cursor):
    """(creation time, id) of the last job seen."""

    kind = "jobs"
    prefix = "job"

    def position(self, after: list[Any]) -> tuple[datetime, str]:
        """Read it."""
        seconds, job_id = after
        if not re.fullmatch(rf"{self.prefix}_[0-9a-f]{{24}}", job_id):
            raise ValueError(job_id)
        return datetime.fromisoformat(seconds).astimezone(UTC), job_id


class SuiteCursor(JobCursor):
    """(creation time, id) of the last suite seen."""

    kind = "suites"
    prefix = "suite"


class ExampleCursor(JobCursor):
    """(creation time, id) of the last example seen."""

    kind = "examples"
    prefix = "ex"


class CaseCursor(_Cursor):
    """Index of the last case seen."""

    kind = "cases"

    def position(self, after: list[Any]) -> int:
        """Read it."""
        (index,) = (number for number in after if type(number) is int and 0 <= number <= _MAX_INTEGER)
        return index


class JudgementCursor(JobCursor):
    """(creation time, id) of the last judgement seen."""

    kind = "judgements"
    prefix = "jdg"


class TargetCursor(JobCursor):
    """(creation time, id) of the last stored target seen."""

    kind = "targets"
    prefix = "target"


class DeliveryCursor(JobCursor):
    """(creation time, id) of the last delivery seen."""

    kind = "deliveries"
    prefix = "msg"


class AuditCursor(_Cursor):
    """Number of the last entry seen."""

    kind = "audit"

    def position(self, after: list[Any]) -> int:
        """Read it."""
        (number,) = (number for number in after if type(number) is int and 0 <= number < 2**63)
        return number


class ResultCursor(_Cursor):
    """(repeat, case index) of the last result seen."""

    kind = "results"

    def position(self, after: list[Any]) -> tuple[int, int]:
        """Read it."""
        repeat, index = (number for number in after if type(number) is int and 0 <= number <= _MAX_INTEGER)
        return repeat, index


class DifferenceCursor(ResultCursor):
    """(repeat, case index) of the last result seen."""

    kind = "differences"


def behind(kind: str, found: Sequence[Any], limit: int) -> str | None:
    """The cursor behind a page of things made at some time, of which one more than the limit was asked for.

    None at the end of the list.
    """
    if len(found) <= limit:
        return None
    last = found[limit - 1]
    return encode(kind, last.created_at.isoformat(), last.id)


def encode(kind: str, *after: Any) -> str:
    """The cursor that stands behind this position."""
    text = json.dumps({"v": VERSION, "of": kind, "after": after}, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode(text: str, kind: str) -> list[Any]:
    try:
        content = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except binascii.Error as error:
        raise ValueError(text) from error
    if content["v"] != VERSION or content["of"] != kind:
        raise ValueError(text)
    return list(content["after"])
