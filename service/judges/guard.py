"""A guard model as the judge: a small model made to classify, which answers in a form of its own."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import Schema, fields, validate

from service.domain.cases import Case
from service.domain.completions import Completion, Judgement
from service.judges.base import judges
from service.judges.exchange import plain, shown, unanswered, unreadable
from service.judges.guard_formats import FORMATS
from service.judges.parsing import UnreadableError
from service.llm.client import ModelClient, Reply
from service.llm.fields import integer
from service.llm.limits import Limiter
from service.llm.options import MAX_CONCURRENCY, EndpointOptions


class GuardOptions(EndpointOptions):
    """The guard model's endpoint, and which kind of guard it is."""

    format = fields.String(
        required=True,
        validate=validate.OneOf(list(FORMATS)),
        metadata={"description": "The kind of guard that the model is.", "example": "llama_guard_3"},
    )
    max_concurrency = integer(
        1,
        MAX_CONCURRENCY,
        load_default=32,
        metadata={"description": "Most requests under way at once, over all workers."},
    )


@judges.register("guard")
class Guard:
    """Asks a guard model: Llama Guard, ShieldGemma, WildGuard or Granite Guardian. Set-up: docs/judge-guard.md."""

    Options: ClassVar[type[Schema]] = GuardOptions

    def __init__(self, options: Mapping[str, Any], limiter: Limiter) -> None:
        self._client = ModelClient.from_options("judge", options, limiter)
        self._format = FORMATS[options["format"]]

    async def judge(self, case: Case, completion: Completion) -> Judgement:
        """Judge one completion. It is asked once: a classifier at temperature 0 would say the same again."""
        if (decided := plain(completion)) is not None:
            return decided
        response = shown(completion)
        reply = await self._client.chat(self._format.messages(case.prompt, response), self._format.parameters)
        return unanswered(reply) or self._read(reply, response)

    async def close(self) -> None:
        """Close the pool of connections."""
        await self._client.close()

    def _read(self, reply: Reply, response: str) -> Judgement:
        if reply.text.strip().startswith(response.strip()):
            # llama.cpp's server does so unless told otherwise; a response "safe" would be its own verdict.
            return unreadable(reply, "The server went on writing the response in place of judging it.")
        if reply.finish_reason == "length" and self._format.max_tokens > 1:
            return unreadable(reply, "The guard's reply was cut off.")
        try:
            opinion = self._format.read(reply.text)
        except UnreadableError as error:
            return unreadable(reply, f"The guard's reply could not be read: {error}.")
        return Judgement(opinion.verdict, opinion.reason, usage=reply.usage)
