import asyncio
from typing import Any

import pytest
from marshmallow import ValidationError

from service.domain.cases import Case
from service.domain.completions import Completion, ErrorCode
from service.llm.limits import LocalLimiter
from service.targets.scripted import Scripted, ScriptedOptions


def completions(replies: list[dict[str, Any]], count: int, limiter: LocalLimiter | None = None) -> list[Completion]:
    """The completions of `count` cases asked for all at once."""
    options = ScriptedOptions().load({"replies": replies})

    async def ask() -> list[Completion]:
        target = Scripted(options, limiter or LocalLimiter(8))
        done = await asyncio.gather(*[target.complete(Case(index, "two words")) for index in range(count)])
        await target.close()
        return done

    return asyncio.run(ask())


def test_replies_follow_the_case_s_index_and_start_over() -> None:
    assert [each.text for each in completions([{"text": "a"}, {"text": "b"}], 5)] == ["a", "b", "a", "b", "a"]


def test_every_outcome_can_be_scripted() -> None:
    script = [{"text": "part", "blocked": True}, {"refusal": "No."}, {"error": "model_not_found"}, {}]
    blocked, refused, failed, empty = completions(script, 4)
    assert (blocked.blocked, blocked.text, blocked.blocked_reason) == (True, "part", "content_filter: scripted")
    assert (refused.refusal, refused.text) == ("No.", "")
    assert failed.error is not None
    assert (failed.error.code, failed.error.stops_job) == (ErrorCode.MODEL_NOT_FOUND, True)
    assert (empty.text, empty.error, empty.blocked) == ("", None, False)
    assert (blocked.usage.requests, blocked.usage.prompt_tokens, blocked.usage.completion_tokens) == (1, 2, 1)


def test_replies_wait_for_the_limiter() -> None:
    class Watching(LocalLimiter):
        most = 0

        async def _acquire(self) -> None:
            await super()._acquire()
            self.most = max(self.most, self.in_use)

    limiter = Watching(3)
    completions([{"delay_ms": 5}], 10, limiter)
    assert limiter.most == 3


@pytest.mark.parametrize(
    "replies",
    [
        [],
        [{}] * 10_001,
        [{"text": None}],
        [{"text": "\x00"}],
        [{"error": "no_such"}],
        [{"blocked": 1}],
        [{"colour": 1}],
    ],
)
def test_scripts_that_are_refused(replies: list[dict[str, Any]]) -> None:
    with pytest.raises(ValidationError):
        ScriptedOptions().load({"replies": replies})


@pytest.mark.parametrize("replies", [[{"text": "x" * 90_000}] * 3, [{"refusal": "é" * 15_000}] * 3])
def test_a_script_is_of_bearable_size(replies: list[dict[str, Any]]) -> None:
    ScriptedOptions().load({"replies": replies[:2]})
    with pytest.raises(ValidationError, match="at most 256 KiB in all"):
        ScriptedOptions().load({"replies": replies})


def test_a_script_of_the_most_replies_is_taken() -> None:
    assert len(ScriptedOptions().load({"replies": [{}] * 2000})["replies"]) == 2000
