"""Reads the error objects of OpenAI-compatible servers, whichever of their shapes they use."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

BLOCK_CODES = frozenset(
    {
        "content_filter",
        "content_policy_violation",
        "data_inspection_failed",
        "datainspectionfailed",
        "invalid_prompt",
        "moderation_blocked",
        "responsibleaipolicyviolation",
    },
)
"""Codes by which providers say that a filter of theirs stopped the exchange, lower case."""


@dataclass(frozen=True, slots=True)
class ErrorBody:
    """What a server's error object says.

    `codes` are lower case, outermost first; `message` is the server's own text; `filters` names what Azure's filter
    found, such as `violence (high)`; `flagged` is OpenRouter's word for an input its moderation stopped.
    """

    codes: tuple[str, ...] = ()
    message: str = ""
    filters: tuple[str, ...] = ()
    flagged: bool = False

    @property
    def block_reason(self) -> str | None:
        """Why the provider's filter stopped the exchange; None when the error is something else."""
        code = next((code for code in self.codes if code in BLOCK_CODES), "moderation" if self.flagged else None)
        if code is None:
            return None
        return f"{code}: {', '.join(self.filters)}" if self.filters else code


def parse_json(body: bytes) -> Any:
    """The JSON value of a body; bytes that are no UTF-8 become U+FFFD, since the rest of the answer still counts.

    Raises:
        ValueError: it is not JSON.
    """
    try:
        return json.loads(body.decode("utf-8", "replace"))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def read_error(body: bytes) -> ErrorBody:
    """What an error response says; a body that is no JSON is its own message."""
    try:
        return error_of(parse_json(body))
    except ValueError:
        return ErrorBody(message=body[:1000].decode("utf-8", "replace"))


def error_of(value: Any) -> ErrorBody:
    """The error in a decoded body: `{"error": {...}}`, `{"error": "..."}`, `[{"error": ...}]`, or at the top level."""
    if isinstance(value, list) and value:
        value = value[0]
    if not isinstance(value, dict):
        return ErrorBody(message=value if isinstance(value, str) else "")
    inner = value.get("error") or value
    if not isinstance(inner, dict):
        return ErrorBody(codes=tuple(_codes([value])), message=str(inner))
    levels = list(_levels(inner))
    metadata = inner.get("metadata")
    return ErrorBody(
        codes=tuple(_codes(levels)),
        message=_message(levels),
        filters=tuple(name for level in levels for name in filtered(level.get("content_filter_result"))),
        flagged=isinstance(metadata, dict) and "flagged_input" in metadata,
    )


def filtered(results: Any) -> Iterator[str]:
    """The categories that Azure's `content_filter_result(s)` object marks as filtered, with their severity."""
    if isinstance(results, dict):
        for name, found in results.items():
            if isinstance(found, dict) and found.get("filtered") is True:
                severity = found.get("severity")
                yield f"{name} ({severity})" if isinstance(severity, str) else str(name)


def _levels(error: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The error object and those nested in it: Azure writes `innererror`, others `inner_error`."""
    for _ in range(4):
        yield error
        error = error.get("innererror") or error.get("inner_error") or {}
        if not isinstance(error, dict) or not error:
            return


def _codes(levels: list[Mapping[str, Any]]) -> Iterator[str]:
    for level in levels:
        for key in ("code", "type"):
            code = level.get(key)
            if isinstance(code, str | int) and not isinstance(code, bool):
                yield str(code)[:100].lower()


def _message(levels: list[Mapping[str, Any]]) -> str:
    texts = (level.get(key) for level in levels for key in ("message", "detail", "msg"))
    return next((text for text in texts if isinstance(text, str) and text), "")
