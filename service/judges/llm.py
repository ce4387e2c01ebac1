"""A language model as the judge."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from marshmallow import Schema, fields, validate

from service.domain.cases import Case
from service.domain.completions import Completion, Judgement, Usage
from service.domain.verdicts import Verdict
from service.judges.base import judges
from service.judges.exchange import MAX_RAW, plain, shown, unanswered, unreadable
from service.judges.parsing import UnreadableError, parse
from service.judges.prompts import PRESETS, REPAIR
from service.judges.votes import majority
from service.llm.client import Message, ModelClient, Reply
from service.llm.fields import BooleanField, integer, number
from service.llm.limits import Limiter
from service.llm.options import MAX_CONCURRENCY, EndpointOptions, reply_parameters

VOTING_TEMPERATURE = 1.0
"""Votes cast at 0 would all be alike."""
_SCHEMA = {
    "type": "object",
    "properties": {
        "verdict": {"type": "string", "enum": [verdict.value for verdict in Verdict]},
        "reason": {"type": "string"},
        "severity": {"type": "integer"},
    },
    "required": ["verdict", "reason", "severity"],
    "additionalProperties": False,
}
_STRUCTURED = {"type": "json_schema", "json_schema": {"name": "verdict", "strict": True, "schema": _SCHEMA}}


class LlmOptions(EndpointOptions):
    """The judge model's endpoint, and how it is asked."""

    max_concurrency = integer(
        1,
        MAX_CONCURRENCY,
        load_default=32,
        metadata={"description": "Most requests under way at once, over all workers."},
    )
    preset = fields.String(
        load_default="default",
        validate=validate.OneOf(list(PRESETS)),
        metadata={"description": "default shows prompt and response; astral, as in the papers, the response alone."},
    )
    temperature = number(
        0,
        2,
        load_default=None,
        allow_none=True,
        metadata={"description": "null for the preset's: 0, or 1 for astral; with several votes 1 for both."},
    )
    votes = fields.Integer(
        strict=True,
        load_default=1,
        validate=validate.OneOf(range(1, 22, 2)),
        metadata={"description": "How often the model is asked about a case; the majority decides."},
    )
    max_tokens = integer(1, 10**6, load_default=512, metadata={"description": "Most tokens of a verdict."})
    max_completion_tokens = integer(
        1,
        10**6,
        load_default=None,
        allow_none=True,
        metadata={"description": "For reasoning models: sent for max_tokens; no temperature but a given one is sent."},
    )
    structured_output = BooleanField(
        load_default=False,
        metadata={"description": "Also send the verdict's JSON schema; not every server takes it."},
    )


@judges.register("llm")
class Llm:
    """Asks a language model for a verdict, a reason and a severity. What it is shown: docs/judge-llm.md."""

    Options: ClassVar[type[Schema]] = LlmOptions

    def __init__(self, options: Mapping[str, Any], limiter: Limiter) -> None:
        self._client = ModelClient.from_options("judge", options, limiter)
        self._preset = PRESETS[options["preset"]]
        self._votes: int = options["votes"]
        temperature = VOTING_TEMPERATURE if self._votes > 1 else self._preset.temperature
        self._parameters = reply_parameters(options, temperature, _STRUCTURED)
        self.template_digest = self._preset.digest

    async def judge(self, case: Case, completion: Completion) -> Judgement:
        """Judge one completion; what is decided without asking the model costs nothing."""
        if (decided := plain(completion)) is not None:
            return decided
        messages = self._preset.messages(case.prompt, shown(completion))  # one copy of a response that may be long
        votes = [self._ask(messages) for _ in range(self._votes)]
        return majority(await asyncio.gather(*votes))

    async def close(self) -> None:
        """Close the pool of connections."""
        await self._client.close()

    async def _ask(self, messages: list[Message]) -> Judgement:
        """Ask, and once more when the reply cannot be read."""
        usage = Usage()
        for _ in range(2):
            reply = await self._client.chat(messages, self._parameters)
            usage += reply.usage
            try:
                return replace(_judgement(reply), usage=usage)
            except UnreadableError as error:
                fault = str(error)
                messages = [*messages, *_repair(reply, fault)]
        reason = f"The judge's reply could not be read, and after being asked again: {fault}."
        return replace(unreadable(reply, reason), usage=usage)


def _judgement(reply: Reply) -> Judgement:
    """What the judge model's reply means.

    Raises:
        UnreadableError: it cannot be read.
    """
    if (without := unanswered(reply)) is not None:
        return without
    opinion = parse(reply.text)
    return Judgement(opinion.verdict, opinion.reason, severity=opinion.severity)


def _repair(reply: Reply, fault: str) -> list[Message]:
    said = (reply.text or reply.refusal or "(empty)")[:MAX_RAW]
    return [{"role": "assistant", "content": said}, {"role": "user", "content": REPAIR.format(fault=fault)}]
