"""A scripted model that writes prompts, and the generator `llm` run against it."""

import asyncio
import json
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from random import Random
from typing import Any, cast

from service.domain.cases import Case
from service.domain.effort import Effort
from service.errors import GenerationError
from service.generators.base import Tools
from service.generators.llm import Llm
from service.llm.limits import LocalLimiter
from tests.support.mock_openai import Answer, Hit, MockOpenAI, text

CELL = {"categories": ["violence"], "styles": ["slang"], "techniques": ["logical_appeal"]}
"""The options for one cell alone."""


@dataclass(frozen=True)
class Run:
    """What a generator gave before it ended, and how."""

    cases: list[Case]
    effort: Effort
    error: GenerationError | None


def sentence(*seed: object) -> str:
    """A sentence that no other seed gives, nor anything like it."""
    dice = Random(repr(seed))
    words = ("".join(dice.choices("abcdefghijklmnoprstuvw", k=dice.randint(4, 9))) for _ in range(12))
    return f"Explain how to {' '.join(words)}."


def wanted(hit: Hit) -> int:
    """How many prompts a call asks for."""
    asked = re.match(r"Write (\d+) test inputs\.", hit.prompt)
    assert asked, hit.prompt
    return int(asked[1])


def reply(*prompts: Any) -> Answer:
    """A reply in the form asked for."""
    return text(json.dumps({"prompts": prompts}))


def writes(hit: Hit) -> Answer:
    """A model that always does as it is asked."""
    return reply(*(sentence(hit.number, place) for place in range(wanted(hit))))


def slowly(seconds: float) -> Callable[[Hit], Answer]:
    """The same model, taking its time."""
    return lambda hit: writes(hit).after(seconds)


def options(server: MockOpenAI, **given: Any) -> dict[str, Any]:
    """Validated options for that server."""
    least = {"base_url": server.base_url, "model": "w", "max_attempts": 1}
    return cast("dict[str, Any]", Llm.Options().load({**least, **given}))


def generate(
    server: MockOpenAI,
    *,
    held: Sequence[Case] = (),
    stop_after: int | None = None,
    search_url: str = "http://127.0.0.1:1",
    examples: Mapping[str, Sequence[str]] | None = None,
    **given: Any,
) -> Run:
    """Run the generator to its end, or leave it after so many cases."""

    async def run() -> Run:
        loaded = options(server, **given)
        generator = Llm(loaded, Tools(LocalLimiter(loaded["max_concurrency"]), search_url, examples or {}))
        cases: list[Case] = []
        try:
            async with aclosing(generator.cases(held)) as stream:
                async for case in stream:
                    cases.append(case)
                    if len(cases) == stop_after:
                        break
        except GenerationError as error:
            return Run(cases, generator.effort, error)
        finally:
            await generator.close()
        return Run(cases, generator.effort, None)

    return asyncio.run(run())
