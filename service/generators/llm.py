"""A language model as the writer of a suite."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, ClassVar

from marshmallow import Schema

from service.domain.cases import Case
from service.domain.effort import Effort
from service.generators.base import Tools, generators
from service.generators.selection import size
from service.generators.writing.options import WritingOptions

if TYPE_CHECKING:
    from service.generators.writing.authoring import Authoring


@generators.register("llm")
class Llm:
    """Has a model write prompts for every cell of the matrix, screens them, and asks again for what is missing.

    The method is that of ASTRAL (arXiv 2501.17132), with its faults mended. See docs/generation-llm.md.
    """

    Options: ClassVar[type[Schema]] = WritingOptions

    @staticmethod
    def size(options: Mapping[str, Any]) -> int:
        """The number of cells times the tests for each, or the limit if that is less."""
        return size(options)

    def __init__(self, options: Mapping[str, Any], tools: Tools) -> None:
        self.effort = Effort()
        self._options = dict(options)
        self._tools = tools
        self._authoring: Authoring | None = None

    async def cases(self, held: Sequence[Case]) -> AsyncIterator[Case]:
        """Cases for the places that `held` leaves open, as the model writes them.

        Raises:
            GenerationError: the model or the search service refuses the key, or no call to the model succeeds.
        """
        # Only those who use numpy and Tavily's client should wait for them.
        from service.generators.writing.authoring import Authoring  # noqa: PLC0415 - they take a second to load

        self._authoring = Authoring(self._options, self._tools, self.effort)
        async with aclosing(self._authoring.cases(held)) as stream:
            async for case in stream:
                yield case

    async def close(self) -> None:
        """Release connections."""
        if self._authoring:
            await self._authoring.close()
