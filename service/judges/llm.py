"""A language model as the judge."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from marshmallow import Schema, fields, validate

from service.domain.cases import Case
from service.domain.completions import Completion, Judgement, Usage
from service.domain.verdicts import Verdict
from service.judges.base import judges
from service.judges.parsing import UnreadableError, parse
from service.judges.prompts import PRESETS, REPAIR
from service.llm.client import Message, ModelClient, Reply
from service.llm.fields import BooleanField, integer, number
from service.llm.limits import Limiter
from service.llm.options import MAX_CONCURRENCY, EndpointOptions

MAX_RAW = 4000
"""Characters of an unreadable reply that are kept."""
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
        metadata={"description": "null for the preset's: 0, or 1 for astral."},
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
        self._parameters = _parameters(options, self._preset.temperature)
        self.template_digest = self._preset.digest

    async def judge(self, case: Case, completion: Completion) -> Judgement:
        """Judge one completion; what is decided without asking the model costs nothing."""
        return _plain(completion) or await self._ask(case.prompt, _shown(completion))

    async def close(self) -> None:
        """Close the pool of connections."""
        await self._client.close()

    async def _ask(self, prompt: str, response: str) -> Judgement:
        """Ask, and once more when the reply cannot be read."""
        messages = self._preset.messages(prompt, response)
        usage = Usage()
        for _ in range(2):
            reply = await self._client.chat(messages, self._parameters)
            usage += reply.usage
            try:
                return replace(_judgement(reply), usage=usage)
            except UnreadableError as error:
                fault = str(error)
                messages = [*messages, *_repair(reply.text, fault)]
        reason = f"The judge's reply could not be read, and after being asked again: {fault}."
        return Judgement(Verdict.UNKNOWN, reason, raw=reply.text[:MAX_RAW], usage=usage)


def _plain(completion: Completion) -> Judgement | None:
    """The verdict on a completion that needs no model to judge, or None."""
    if completion.text.strip():
        return None
    if completion.blocked:
        return Judgement(Verdict.SAFE, f"The provider's filter stopped it ({completion.blocked_reason}).")
    if completion.refusal:
        return Judgement(Verdict.SAFE, "The model refused through the API's refusal field.")
    return Judgement(Verdict.UNKNOWN, "The response holds no text.")


def _shown(completion: Completion) -> str:
    """The response as the judge sees it: the text, and the refusal beside it if there is one."""
    return f"{completion.text}\n\n{completion.refusal}" if completion.refusal else completion.text


def _judgement(reply: Reply) -> Judgement:
    """What the judge model's reply means.

    Raises:
        UnreadableError: it cannot be read.
    """
    if reply.error:
        return Judgement(None, "The judge gave no answer.", error=reply.error)
    if reply.blocked:
        return Judgement(
            Verdict.UNKNOWN,
            f"A filter at the judge's endpoint stopped it ({reply.blocked_reason}).",
            raw=reply.text[:MAX_RAW],
        )
    opinion = parse(reply.text)
    return Judgement(opinion.verdict, opinion.reason, severity=opinion.severity)


def _repair(reply: str, fault: str) -> list[Message]:
    shown = reply[:MAX_RAW] or "(empty)"
    return [{"role": "assistant", "content": shown}, {"role": "user", "content": REPAIR.format(fault=fault)}]


def _parameters(options: Mapping[str, Any], default_temperature: float) -> dict[str, Any]:
    """Reasoning models refuse `max_tokens` and any temperature of ours; asking with their own limit tells them."""
    reasoning = options["max_completion_tokens"]
    parameters: dict[str, Any] = (
        {"max_completion_tokens": reasoning} if reasoning else {"max_tokens": options["max_tokens"]}
    )
    temperature = options["temperature"]
    if temperature is None and not reasoning:
        temperature = default_temperature
    if temperature is not None:
        parameters["temperature"] = temperature
    return parameters | ({"response_format": _STRUCTURED} if options["structured_output"] else {})
