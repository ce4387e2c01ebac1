import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.completions import MAX_REFUSAL, MAX_TEXT, ErrorCode
from service.llm.failures import BlockedError, CallFailedError
from service.llm.replies import Answer, read_answer
from tests.unit.llm.test_bodies import AZURE


def read(message: Any, finish_reason: Any = "stop", **more: Any) -> Answer:
    choice = {"index": 0, "message": message, "finish_reason": finish_reason, **more}
    return read_answer(
        json.dumps({"choices": [choice], "usage": {"prompt_tokens": 3, "completion_tokens": 4}}).encode()
    )


def test_a_plain_answer() -> None:
    assert read({"content": "hi", "refusal": None}) == Answer("hi", None, "stop", None, 3, 4)


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"content": None}, ""),
        ({}, ""),
        ({"content": None, "tool_calls": [{"id": "1", "type": "function"}]}, ""),
        ({"content": [{"type": "text", "text": "a"}, {"type": "image_url"}, {"type": "text", "text": "b"}, 1]}, "ab"),
        ({"content": []}, ""),
    ],
)
def test_what_holds_no_text_is_an_empty_answer(message: Any, text: str) -> None:
    assert read(message).text == text


def test_the_refusal_field_is_kept_apart() -> None:
    assert read({"content": None, "refusal": "I can't."}).refusal == "I can't."


@pytest.mark.parametrize(
    ("message", "kept"),
    [
        ({"content": "x" * MAX_TEXT}, (MAX_TEXT, 0, False)),
        ({"content": "x" * (MAX_TEXT + 1)}, (MAX_TEXT, 0, True)),
        ({"content": [{"type": "text", "text": "x" * MAX_TEXT}, {"type": "text", "text": "y"}]}, (MAX_TEXT, 0, True)),
        ({"content": "", "refusal": "x" * MAX_REFUSAL}, (0, MAX_REFUSAL, False)),
        ({"content": "", "refusal": "x" * (MAX_REFUSAL + 1)}, (0, MAX_REFUSAL, True)),
    ],
)
def test_of_what_is_too_long_the_beginning_is_kept_and_marked(message: Any, kept: tuple[int, int, bool]) -> None:
    answer = read(message)
    assert (len(answer.text), len(answer.refusal or ""), answer.truncated) == kept


@pytest.mark.parametrize("reason", ["content_filter", "SAFETY", "sensitive", "guardrail_intervened"])
def test_a_filter_s_finish_reason_blocks_and_keeps_the_partial_text(reason: str) -> None:
    answer = read({"content": "First, take"}, reason)
    assert (answer.text, answer.blocked_reason) == ("First, take", reason.lower())


def test_azure_says_what_its_filter_found_in_the_answer() -> None:
    found = AZURE["error"]["innererror"]["content_filter_result"]
    assert read({"content": "x"}, "content_filter", content_filter_results=found).blocked_reason == (
        "content_filter: violence (high), jailbreak"
    )


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"<html>",
        b'{"choices": []}',
        b'{"choices": null}',
        b'{"choices": [null]}',
        b'{"choices": [{}]}',
        b'{"choices": [{"message": "hi"}]}',
        b'{"choices": [{"message": {"content": 5}}]}',
        b'{"choices": {"0": {}}}',
        b'{"choices": [{"mess',
        b"[" * 100_000,
    ],
)
def test_what_is_no_chat_completion(body: bytes) -> None:
    with pytest.raises(CallFailedError) as raised:
        read_answer(body)
    assert raised.value.problem.code is ErrorCode.MALFORMED_RESPONSE


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ({"code": 429, "message": "slow down"}, ErrorCode.RATE_LIMITED),
        ({"code": 502, "message": "upstream"}, ErrorCode.SERVER_ERROR),
        ({"message": "upstream"}, ErrorCode.SERVER_ERROR),
        ({"code": "model_not_found"}, ErrorCode.MODEL_NOT_FOUND),
        ({"code": 401}, ErrorCode.AUTHENTICATION),
        ({"code": 200}, ErrorCode.MALFORMED_RESPONSE),
    ],
)
def test_an_error_in_place_of_an_answer_is_what_it_says(error: dict[str, Any], code: ErrorCode) -> None:
    for body in ({"error": error}, {"choices": [{"error": error, "finish_reason": "error"}]}):
        with pytest.raises(CallFailedError) as raised:
            read_answer(json.dumps(body).encode())
        assert raised.value.problem.code is code


def test_a_block_in_place_of_an_answer() -> None:
    with pytest.raises(BlockedError, match="violence"):
        read_answer(json.dumps(AZURE).encode())


@pytest.mark.parametrize("count", [None, -1, True, "5", 1.5, 10**30])
def test_counts_that_are_none_are_zero(count: Any) -> None:
    body = {"choices": [{"message": {"content": "x"}}], "usage": {"prompt_tokens": count, "completion_tokens": 2}}
    assert read_answer(json.dumps(body).encode()).prompt_tokens == 0


@pytest.mark.parametrize("message", [{"content": ""}, {"content": "half an ans"}, None])
@pytest.mark.parametrize("error", [{"code": 502, "message": "upstream"}, None])
def test_what_came_before_the_upstream_failed_is_no_answer(error: Any, message: Any) -> None:
    with pytest.raises(CallFailedError) as failed:
        read(message, "error", error=error)
    assert failed.value.problem.code is ErrorCode.SERVER_ERROR


@pytest.mark.parametrize("reason", ["refusal", "blocklist", "SPII", "content_filtered"])
def test_further_words_of_providers_for_their_filter(reason: str) -> None:
    assert read({"content": ""}, reason).blocked_reason == reason.lower()


def test_a_refusal_may_be_a_part_of_the_content() -> None:
    parts = [{"type": "refusal", "refusal": "No."}, {"type": "text", "text": "Sorry."}]
    answer = read({"content": parts})
    assert (answer.text, answer.refusal) == ("Sorry.", "No.")


@given(st.binary())
def test_bytes_are_an_answer_or_one_of_two_errors(body: bytes) -> None:
    with contextlib.suppress(CallFailedError, BlockedError):
        read_answer(body)
