"""A target that replies from a script: for tests and demonstrations without a model."""

import asyncio
import json
import time
from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from service.domain.cases import Case
from service.domain.completions import CallError, Completion, ErrorCode, Usage
from service.llm.errors import stops_job
from service.llm.fields import BooleanField, List, integer, string
from service.llm.limits import Limiter
from service.llm.options import LimitOptions
from service.targets.base import targets

MAX_DELAY_MS = 600_000
MAX_REPLIES = 2000
MAX_SCRIPT_KIB = 256
"""Every job and every list of stored targets holds its script whole."""


class ScriptedReply(Schema):
    """One reply. An error goes before a block, and a block may come with the text before it."""

    class Meta:
        """Refuses what it does not know."""

        unknown = RAISE

    text = string(0, 100_000, load_default="")
    refusal = string(0, 100_000, load_default=None, allow_none=True)
    blocked = BooleanField(load_default=False)
    error = fields.String(
        load_default=None, allow_none=True, validate=validate.OneOf([*(code.value for code in ErrorCode), None])
    )
    delay_ms = integer(0, MAX_DELAY_MS, load_default=0, metadata={"description": "Milliseconds before the reply."})


def _of_bearable_size(replies: list[dict[str, Any]]) -> None:
    if len(json.dumps(replies)) > MAX_SCRIPT_KIB * 1024:
        raise ValidationError(f"Must have at most {MAX_SCRIPT_KIB} KiB in all, written as JSON with every field.")


class ScriptedOptions(LimitOptions):
    """The script."""

    model = string(1, 200, load_default="scripted", metadata={"description": "A label; names no real model."})
    replies = List(
        fields.Nested(ScriptedReply),
        required=True,
        validate=[validate.Length(1, MAX_REPLIES), _of_bearable_size],
        metadata={
            "description": f"Taken in turn. At most {MAX_SCRIPT_KIB} KiB in all, written as JSON with every field.",
            "example": [{"text": "I can't help with that."}, {"blocked": True}],
        },
    )


@targets.register("scripted")
class Scripted:
    """Replies from a list, by the case's index modulo its length; calls no model."""

    Options: ClassVar[type[Schema]] = ScriptedOptions

    def __init__(self, options: Mapping[str, Any], limiter: Limiter) -> None:
        self._replies: list[Mapping[str, Any]] = options["replies"]
        self._limiter = limiter

    async def complete(self, case: Case) -> Completion:
        """The reply whose turn it is. Usage counts words in place of tokens."""
        reply = self._replies[case.index % len(self._replies)]
        started = time.monotonic()
        async with self._limiter.slot():
            await asyncio.sleep(reply["delay_ms"] / 1000)
        latency_ms = round((time.monotonic() - started) * 1000)
        if reply["error"]:
            return Completion(error=_error(reply["error"]), usage=Usage(requests=1), latency_ms=latency_ms)
        return Completion(
            text=reply["text"],
            refusal=reply["refusal"],
            finish_reason="content_filter" if reply["blocked"] else "stop",
            blocked=reply["blocked"],
            blocked_reason="content_filter: scripted" if reply["blocked"] else None,
            usage=Usage(1, len(case.prompt.split()), len(reply["text"].split())),
            latency_ms=latency_ms,
        )

    async def close(self) -> None:
        """Nothing is open."""


def _error(name: str) -> CallError:
    code = ErrorCode(name)
    message = f"The script says {name} for this case. Take the error out of target.replies."
    return CallError(code, message, "target", stops_job(code))
