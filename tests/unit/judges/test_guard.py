from pathlib import Path
from typing import Any

import pytest
from marshmallow import ValidationError

from service.domain.completions import Completion, ErrorCode, Judgement, Usage
from service.domain.verdicts import Verdict
from service.judges.guard import GuardOptions
from service.judges.guard_formats import FORMATS
from tests.support.mock_openai import Answer, Hit, azure_filter, status, text
from tests.unit.judges.asked import PROMPT, RESPONSE, asked

PAGE = (Path(__file__).parents[3] / "docs" / "judge-guard.md").read_text()
UNSAFE = text("\n\nunsafe\nS1,S10")
CONVERSATION = [{"role": "user", "content": PROMPT}, {"role": "assistant", "content": RESPONSE}]


def judge(*answers: Answer, kind: str = "llama_guard_3", **options: Any) -> tuple[Judgement, list[Hit]]:
    return asked("guard", *answers, format=kind, model="guard", **options)


def test_a_verdict_with_its_reason_and_cost() -> None:
    judgement, _ = judge(UNSAFE)
    assert (judgement.verdict, judgement.usage) == (Verdict.UNSAFE, Usage(1, 7, 5))
    assert "S10, hate (discrimination, hate_speech)" in judgement.reason
    assert (judgement.confidence, judgement.severity, judgement.raw) == (None, None, None)


@pytest.mark.parametrize("kind", [kind for kind in FORMATS if kind != "wildguard"])
def test_prompt_and_response_are_sent_as_the_turns_they_were(kind: str) -> None:
    _, hits = judge(UNSAFE, kind=kind)
    assert hits[0].body["messages"] == CONVERSATION
    assert hits[0].body["temperature"] == 0


def test_only_shield_gemma_is_given_principles_and_answers_in_one_token() -> None:
    bodies = {kind: judge(UNSAFE, kind=kind)[1][0].body for kind in FORMATS}
    assert [kind for kind, body in bodies.items() if "chat_template_kwargs" in body] == ["shieldgemma"]
    assert "No Dangerous Content" in bodies["shieldgemma"]["chat_template_kwargs"]["guideline"]
    assert [kind for kind, body in bodies.items() if body["max_tokens"] == 1] == ["shieldgemma"]


def test_wild_guard_is_shown_both_texts_verbatim_in_one_message() -> None:
    reply = text("Harmful request: yes\nResponse refusal: no\nHarmful response: yes")
    judgement, hits = judge(reply, kind="wildguard")
    [message] = hits[0].body["messages"]
    assert f"Human user:\n{PROMPT}\n\nAI assistant:\n{RESPONSE}\n\n---\n\nAnswers:" in message["content"]
    assert judgement.verdict is Verdict.UNSAFE


def test_the_text_before_a_block_is_judged_and_text_beside_a_refusal_with_it() -> None:
    _, blocked = judge(UNSAFE, completion=Completion("First, take", blocked=True, blocked_reason="x"))
    _, refused = judge(UNSAFE, completion=Completion("First, take", refusal="I can't."))
    assert [hits[0].prompt for hits in (blocked, refused)] == ["First, take", "First, take\n\nI can't."]


@pytest.mark.parametrize("reply", ["The verdict is safe.", "unsafe\nO1", "", "Yes"])
def test_what_can_t_be_read_is_unknown_with_the_reply_kept_and_not_asked_again(reply: str) -> None:
    judgement, hits = judge(text(reply))
    assert (judgement.verdict, judgement.raw, judgement.error) == (Verdict.UNKNOWN, reply, None)
    assert (len(hits), judgement.usage) == (1, Usage(1, 7, 5))


@pytest.mark.parametrize(
    ("kind", "reply", "verdict"),
    [
        ("llama_guard_3", "safe", Verdict.UNKNOWN),
        ("llama_guard_3", "unsafe\nS1", Verdict.UNKNOWN),
        ("granite_guardian", "No", Verdict.UNKNOWN),
        ("shieldgemma", "No", Verdict.SAFE),
    ],
)
def test_a_reply_that_was_cut_off_is_unknown_unless_one_token_was_asked_for(
    kind: str, reply: str, verdict: Verdict
) -> None:
    judgement, _ = judge(text(reply, "length"), kind=kind)
    assert judgement.verdict is verdict


@pytest.mark.parametrize(
    ("kind", "response", "reply"),
    [
        ("llama_guard_3", "safe", "safe"),
        ("llama_guard_3", " safe", "\nsafe"),
        ("llama_guard_3", "unsafe", "unsafe\nS1"),
        ("shieldgemma", "No", "No"),
        ("granite_guardian", "No", "No\n<confidence> High </confidence>"),
    ],
)
def test_a_server_that_goes_on_writing_the_response_gives_it_no_verdict(kind: str, response: str, reply: str) -> None:
    """As llama.cpp's does by default with a conversation that ends with the assistant's turn."""
    judgement, _ = judge(text(reply), kind=kind, completion=Completion(response))
    assert (judgement.verdict, judgement.raw) == (Verdict.UNKNOWN, reply)
    assert "went on writing the response" in judgement.reason


def test_a_response_that_names_a_verdict_is_judged_all_the_same() -> None:
    judgement, _ = judge(UNSAFE, completion=Completion("safe"))
    assert judgement.verdict is Verdict.UNSAFE


def test_a_guard_that_refuses_through_the_api_s_field_is_unknown_with_its_words_kept() -> None:
    judgement, _ = judge(text(None, refusal="I can't."))
    assert (judgement.verdict, judgement.raw) == (Verdict.UNKNOWN, "I can't.")


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize(
    ("completion", "verdict"),
    [
        (Completion(blocked=True, blocked_reason="content_filter"), Verdict.SAFE),
        (Completion(refusal="I can't."), Verdict.SAFE),
        (Completion(" \n"), Verdict.UNKNOWN),
    ],
)
def test_what_needs_no_model_costs_nothing(completion: Completion, verdict: Verdict, kind: str) -> None:
    judgement, hits = judge(UNSAFE, kind=kind, completion=completion)
    assert (judgement.verdict, judgement.usage, hits) == (verdict, Usage(), [])


def test_a_guard_that_fails_gives_an_error_and_no_verdict() -> None:
    judgement, _ = judge(status(500))
    assert judgement.verdict is None
    assert judgement.error is not None
    assert (judgement.error.code, judgement.error.stage) == (ErrorCode.SERVER_ERROR, "judge")
    assert judgement.usage == Usage(1)


def test_a_filter_at_the_guard_s_endpoint_makes_it_unknown() -> None:
    judgement, _ = judge(azure_filter(violence="high"))
    assert (judgement.verdict, judgement.error) == (Verdict.UNKNOWN, None)
    assert "content_filter: violence (high)" in judgement.reason


@pytest.mark.parametrize("options", [{}, {"format": "llama_guard"}, {"format": None}])
def test_the_format_has_to_be_named(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as raised:
        GuardOptions().load({"base_url": "http://h", "model": "m", **options})
    assert list(raised.value.normalized_messages()) == ["format"]


def test_any_text_arrives_as_it_was() -> None:
    strange = 'quotes " {braces} \\ NUL \x00 lone \ud800 </s> [/INST]'
    _, hits = judge(UNSAFE, kind="wildguard", completion=Completion(strange))
    assert strange in hits[0].prompt


def test_the_page_tells_of_every_format_and_option() -> None:
    named = [*FORMATS, *GuardOptions().fields]
    assert [name for name in named if f"`{name}`" not in PAGE] == []
