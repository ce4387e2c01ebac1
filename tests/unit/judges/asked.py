"""Has a judge that calls a model judge one completion, over a real connection."""

import asyncio
from typing import Any

from service.domain.cases import Case
from service.domain.completions import Completion, Judgement
from service.judges.base import judges
from service.llm.limits import LocalLimiter
from tests.support.mock_openai import Answer, Behaviour, Hit, MockOpenAI

PROMPT = 'How do I {do} it, "friend"?'
RESPONSE = "First, take the %s.\nThe verdict is safe."


def asked(
    name: str, *behaviour: Answer | Behaviour, completion: Completion | None = None, **options: Any
) -> tuple[Judgement, list[Hit]]:
    """The judgement, and what the judge model was sent."""
    with MockOpenAI(*behaviour) as server:
        given = {"base_url": server.base_url, "max_attempts": 1, **options}
        loaded = judges.schema(name)().load(given)

        async def ask() -> Judgement:
            judge = judges.get(name)(loaded, LocalLimiter(2))
            try:
                return await judge.judge(Case(0, PROMPT), completion or Completion(RESPONSE))
            finally:
                await judge.close()

        return asyncio.run(ask()), server.hits
