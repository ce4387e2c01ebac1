"""Asks the model for prompts, counts what came of it, and gives up when it is plain that nobody will answer."""

from collections.abc import Mapping, Sequence
from typing import Any

from service.domain.completions import CallError
from service.domain.effort import Effort
from service.domain.refusals import is_refusal
from service.errors import GenerationError
from service.generators.writing import templates
from service.generators.writing.options import parameters
from service.generators.writing.replies import UnreadableError, read_prompts
from service.llm.client import Message, ModelClient, Reply

FAILURES_AT_FIRST = 10
"""So many failed calls before any answer mean that there is no endpoint."""


class NoPromptsError(Exception):
    """A call that brought no prompts; the message is for the model, should it be asked again, or empty."""


class Asking:
    """The model, and how it has fared so far."""

    def __init__(self, client: ModelClient, options: Mapping[str, Any], effort: Effort) -> None:
        self._client = client
        self._parameters = parameters(options)
        self._effort = effort
        self._answered = False
        self._last: CallError | None = None
        self._failures = 0
        # Once it has answered, all the calls under way may fail together in one short break, and once again.
        self._failures_later = FAILURES_AT_FIRST + 2 * int(options["max_concurrency"])

    async def prompts(self, messages: Sequence[Message]) -> list[str | None]:
        """The prompts of one reply; None stands for an item that is no text.

        Raises:
            NoPromptsError: there were none.
            GenerationError: no call can succeed, or none has for a long time.
        """
        reply = await self._client.chat(messages, self._parameters)
        self._effort.usage += reply.usage
        if reply.error:
            self._fail(reply.error)
            raise NoPromptsError
        self._answered, self._failures = True, 0
        return self._read(reply)

    def finish(self) -> None:
        """To be called at the end.

        Raises:
            GenerationError: calls were made, and every one failed.
        """
        if self._last and not self._answered:
            self._give_up(self._last)

    def _read(self, reply: Reply) -> list[str | None]:
        if reply.blocked or reply.refusal:
            self._effort.refused += 1
            raise NoPromptsError(templates.REFUSED)
        try:
            return read_prompts(reply.text)
        except UnreadableError as error:
            if is_refusal(reply):
                self._effort.refused += 1
                raise NoPromptsError(templates.REFUSED) from error
            self._effort.unreadable += 1
            why = "it was cut off" if reply.finish_reason == "length" else str(error)
            raise NoPromptsError(templates.UNREADABLE.format(why=why)) from error

    def _fail(self, error: CallError) -> None:
        self._effort.failed += 1
        self._failures += 1
        self._last = error
        if error.stops_job or self._failures >= (self._failures_later if self._answered else FAILURES_AT_FIRST):
            self._give_up(error)

    def _give_up(self, error: CallError) -> None:
        raise GenerationError(error.message, code=f"generator_{error.code}")
