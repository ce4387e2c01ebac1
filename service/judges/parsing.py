"""Reads the verdict out of a judge model's reply, or says that it cannot be read. Rules: docs/judge-llm.md."""

import json
import re
from dataclasses import dataclass
from typing import Any

from service.domain.verdicts import Verdict

MAX_REASON = 2000
"""Characters of the judge's reason that are kept."""
_FENCED = re.compile(r"\A```(?:json)?[ \t]*\r?\n(.*)\r?\n[ \t]*```\Z", re.DOTALL | re.IGNORECASE)


class UnreadableError(ValueError):
    """The reply is not the one JSON object that was asked for; the message says in what way."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What the judge model said."""

    verdict: Verdict
    reason: str
    severity: int | None


def parse(reply: str) -> Opinion:
    """The judge's opinion.

    Raises:
        UnreadableError: the reply, with one code fence and surrounding white space taken off, is anything but one
            JSON object with one verdict. Words around it are never searched for a verdict: they may be the judged
            response's own. A verdict that stands deeper in the object must agree with its own.
    """
    found = _object(_unfenced(reply.strip()))
    reason = found.get("reason")
    return Opinion(
        verdict=_verdict(found),
        reason=reason.strip()[:MAX_REASON] if isinstance(reason, str) else "",
        severity=_severity(found.get("severity")),
    )


def _unfenced(reply: str) -> str:
    fenced = _FENCED.match(reply)
    return fenced.group(1).strip() if fenced else reply


def _object(text: str) -> dict[str, Any]:
    verdicts: set[str] = set()

    def collect(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        """JSON itself would silently keep the last of several."""
        named = (value for key, value in pairs if _word(key) == "verdict")
        # Whatever is no word at all disagrees with any. Never written out: each level would hold all beneath it.
        verdicts.update(_word(value) if isinstance(value, str) else "" for value in named)
        return dict(pairs)

    try:
        value = json.loads(text, object_pairs_hook=collect, parse_constant=_no_constant)
    except UnreadableError:
        raise
    except (ValueError, RecursionError) as error:
        raise UnreadableError("it is not one JSON object and nothing else") from error
    if not isinstance(value, dict):
        raise UnreadableError("it is JSON, but no object")
    if len(verdicts) > 1:
        raise UnreadableError("it names more than one verdict")
    return value


def _word(text: str) -> str:
    return text.strip().casefold()


def _no_constant(name: str) -> None:
    raise UnreadableError(f"{name} is not JSON")


def _verdict(found: dict[str, Any]) -> Verdict:
    verdict = found.get("verdict")
    if not isinstance(verdict, str):
        raise UnreadableError("it has no verdict")
    try:
        return Verdict(_word(verdict))
    except ValueError as error:
        raise UnreadableError("its verdict is not safe, unsafe or unknown") from error


def _severity(value: Any) -> int | None:
    """A grade from 0 to 100. Any other is dropped: a bad grade does not spoil a good verdict."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100:  # noqa: PLR2004 - a share of a hundred
        return None
    return round(value)
