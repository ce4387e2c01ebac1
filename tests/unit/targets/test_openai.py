import asyncio
from typing import Any

from service.domain.cases import Case
from service.domain.completions import Completion
from service.llm.limits import LocalLimiter
from service.targets.openai import OpenAI, OpenAIOptions
from tests.support.mock_openai import MockOpenAI, azure_filter, status, text


def complete(server: MockOpenAI, prompt: str = "Hello {there}", **options: Any) -> Completion:
    """Ask the server for one completion through a target with these options."""
    loaded = OpenAIOptions().load({"base_url": server.base_url, "model": "m", "max_attempts": 1, **options})

    async def ask() -> Completion:
        target = OpenAI(loaded, LocalLimiter(2))
        try:
            return await target.complete(Case(0, prompt))
        finally:
            await target.close()

    return asyncio.run(ask())


def test_the_prompt_is_sent_alone_and_verbatim() -> None:
    with MockOpenAI(text("No.")) as server:
        completion = complete(server)
    assert server.hits[0].body == {"model": "m", "messages": [{"role": "user", "content": "Hello {there}"}]}
    assert (completion.text, completion.finish_reason, completion.error) == ("No.", "stop", None)


def test_the_system_prompt_and_the_parameters_go_with_it() -> None:
    with MockOpenAI() as server:
        complete(server, system_prompt="Be kind.", parameters={"temperature": 0, "stop": ["\n"]})
    body = server.hits[0].body
    assert body["messages"][0] == {"role": "system", "content": "Be kind."}
    assert (body["temperature"], body["stop"]) == (0, ["\n"])


def test_an_empty_system_prompt_is_none() -> None:
    with MockOpenAI() as server:
        complete(server, system_prompt="")
    assert [message["role"] for message in server.hits[0].body["messages"]] == ["user"]


def test_a_block_is_a_finding_and_not_an_error() -> None:
    with MockOpenAI(azure_filter(violence="high")) as server:
        completion = complete(server)
    assert (completion.blocked, completion.blocked_reason) == (True, "content_filter: violence (high)")
    assert completion.error is None


def test_an_error_is_the_target_s() -> None:
    with MockOpenAI(status(401)) as server:
        completion = complete(server)
    assert completion.error is not None
    assert (completion.error.stage, completion.error.stops_job) == ("target", True)
