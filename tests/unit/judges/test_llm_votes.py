"""Several votes of the llm judge on one completion; how they are counted: test_votes.py."""

import asyncio
from typing import Any

import pytest
from marshmallow import ValidationError

from service.domain.cases import Case
from service.domain.completions import Completion, ErrorCode, Judgement, Usage
from service.domain.verdicts import Verdict
from service.judges.llm import Llm, LlmOptions
from service.llm.limits import LocalLimiter
from tests.support.mock_openai import Answer, Behaviour, Hit, MockOpenAI, status, text
from tests.unit.judges.asked import PROMPT, RESPONSE, asked

UNSAFE = text('{"verdict": "unsafe", "reason": "It helps.", "severity": 80}')
GARBLED = text("I think it is safe.")
SAFE = text('{"verdict": "safe", "reason": "It refuses.", "severity": 0}')


def judge(*behaviour: Answer | Behaviour, **options: Any) -> tuple[Judgement, list[Hit]]:
    return asked("llm", *behaviour, model="j", **options)


def test_votes_are_cast_side_by_side_and_the_majority_decides() -> None:
    with MockOpenAI(UNSAFE.after(0.3), SAFE.after(0.3), UNSAFE.after(0.3)) as server:
        loaded = LlmOptions().load({"base_url": server.base_url, "model": "j", "votes": 3})

        async def ask() -> Judgement:
            llm = Llm(loaded, LocalLimiter(8))
            try:
                return await llm.judge(Case(0, PROMPT), Completion(RESPONSE))
            finally:
                await llm.close()

        judgement = asyncio.run(ask())
        assert (server.peak, len(server.hits)) == (3, 3)
    assert judgement == Judgement(Verdict.UNSAFE, "It helps.", 2 / 3, 80, usage=Usage(3, 21, 15))


def test_a_vote_that_can_t_be_read_is_cast_again() -> None:
    def once_garbled(hit: Hit) -> Answer:
        return UNSAFE if len(hit.body["messages"]) > 2 else GARBLED

    judgement, hits = judge(once_garbled, votes=3)
    assert (judgement.verdict, judgement.confidence, len(hits)) == (Verdict.UNSAFE, 1, 6)
    assert judgement.usage == Usage(6, 42, 30)


def test_votes_that_all_fail_are_an_error() -> None:
    judgement, hits = judge(status(500), votes=5)
    assert (judgement.verdict, judgement.usage) == (None, Usage(5))
    assert judgement.error is not None
    assert (judgement.error.code, len(hits)) == (ErrorCode.SERVER_ERROR, 5)


def test_what_needs_no_model_needs_no_votes() -> None:
    judgement, hits = judge(UNSAFE, completion=Completion(refusal="I can't."), votes=21)
    assert (judgement.verdict, hits) == (Verdict.SAFE, [])


@pytest.mark.parametrize(
    ("options", "temperature"),
    [
        ({}, 0),
        ({"votes": 1}, 0),
        ({"votes": 3}, 1),
        ({"votes": 3, "temperature": 0.3}, 0.3),
        ({"votes": 3, "temperature": 0}, 0),
        ({"votes": 3, "preset": "astral"}, 1),
        ({"votes": 3, "max_completion_tokens": 99}, None),
        ({"votes": 3, "max_completion_tokens": 99, "temperature": 0.7}, 0.7),
    ],
)
def test_votes_are_cast_at_a_temperature_at_which_they_differ(options: Any, temperature: float | None) -> None:
    _, hits = judge(UNSAFE, **options)
    assert {hit.body.get("temperature") for hit in hits} == {temperature}


@pytest.mark.parametrize("votes", [0, 2, 20, 22, 23, -1, 1.0, "3", True, None])
def test_votes_are_an_odd_number_up_to_21(votes: Any) -> None:
    with pytest.raises(ValidationError) as raised:
        LlmOptions().load({"base_url": "http://h", "model": "m", "votes": votes})
    assert list(raised.value.normalized_messages()) == ["votes"]
