"""How the generator `llm` works: every missing place of the matrix is asked for, screened, and asked for again."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from service.domain.cases import Case
from service.domain.effort import Effort
from service.errors import GenerationError
from service.generators.base import Tools
from service.generators.selection import Cell, cells, size
from service.generators.writing import templates
from service.generators.writing.asking import Asking
from service.generators.writing.briefing import Library
from service.generators.writing.retrieval import Examples
from service.generators.writing.rounds import Writer, lots
from service.generators.writing.screening import Screening
from service.generators.writing.search import Search
from service.generators.writing.streams import merged
from service.llm.client import ModelClient

_BREATH = 100
"""Held prompts are read so many at a time; reading 20,000 takes seconds, in which others want to run too."""


class Authoring:
    """One attempt at filling a suite."""

    def __init__(self, options: Mapping[str, Any], tools: Tools, effort: Effort) -> None:
        self.effort = effort
        self._options = options
        self._tools = tools
        self._client = ModelClient.from_options("generator", options, tools.limiter)
        self._search: Search | None = None

    async def cases(self, held: Sequence[Case]) -> AsyncGenerator[Case]:
        """Cases for the places that `held` leaves open, as the model writes them.

        Raises:
            GenerationError: the model or the search service refuses the key, or no call to the model succeeds.
        """
        walk = list(cells(self._options))
        asking = Asking(self._client, self._options, self.effort)
        writer = await self._writer(asking, walk, held)
        filled = {case.index for case in held}
        missing = [place for place in range(size(self._options)) if place not in filled]
        work = lots(walk, missing, self._options["prompts_per_call"])
        at_once = min(len(work), self._options["max_concurrency"])
        left = set(missing)
        async with aclosing(merged(map(writer.fill, work), at_once)) as stream:
            async for case in stream:
                left.remove(case.index)
                yield case
        asking.finish()
        short = Counter(walk[place % len(walk)] for place in left)
        self.effort.shortfall = [{**cell._asdict(), "missing": number} for cell, number in sorted(short.items())]

    async def close(self) -> None:
        """Release connections."""
        await self._client.close()
        if self._search:
            await self._search.close()

    async def _writer(self, asking: Asking, walk: Sequence[Cell], held: Sequence[Case]) -> Writer:
        examples = Examples(self._tools.examples)
        variant = self._options["variant"]
        origin = {"model": self._options["model"], "variant": variant, "template": templates.digest(variant)}
        library = Library(examples, self._opened_search(), self._options)
        writer = Writer(asking, library, Screening(examples), self.effort, origin)
        for number, case in enumerate(held):
            writer.remember(walk[case.index % len(walk)], case.prompt)
            if number % _BREATH == 0:
                await asyncio.sleep(0)
        return writer

    def _opened_search(self) -> Search | None:
        if self._options["variant"] != templates.RAG_FS_TS:
            return None
        if not self._options["search_api_key"]:
            raise GenerationError(
                "The variant rag_fs_ts searches the web. Set search_api_key, or choose another variant.",
                code="generator_search_key_missing",
            )
        self._search = Search(self._tools.search_url, self._options, self.effort)
        return self._search
