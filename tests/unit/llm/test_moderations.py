import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.completions import ErrorCode
from service.llm.failures import BlockedError, CallFailedError
from service.llm.moderations import MAX_CATEGORIES, MAX_NAME, Moderation, read_moderation
from tests.unit.llm.test_bodies import AZURE

RESULT: dict[str, Any] = {"flagged": True, "categories": {"hate": True}, "category_scores": {"hate": 0.7}}


def read(**result: Any) -> Moderation:
    return read_moderation(json.dumps({"results": [{**RESULT, **result}]}).encode())


def test_a_plain_moderation() -> None:
    assert read() == Moderation(flagged=True, categories={"hate": True}, scores={"hate": 0.7})


def test_what_the_model_does_not_look_for_is_left_out() -> None:
    found = read(categories={"hate": True, "illicit": None}, category_scores={"hate": 1, "illicit": None})
    assert (found.categories, found.scores) == ({"hate": True}, {"hate": 1})


def test_tokens_are_counted_where_a_gateway_counts_them() -> None:
    body = {"results": [RESULT], "usage": {"prompt_tokens": 9}}
    assert read_moderation(json.dumps(body).encode()).prompt_tokens == 9


@pytest.mark.parametrize(
    "result",
    [
        {"flagged": None},
        {"flagged": "true"},
        {"flagged": 1},
        {"categories": None},
        {"categories": {}},
        {"categories": ["hate"]},
        {"categories": {"hate": 1}},
        {"categories": {"hate": None}},
        {"categories": {"x" * (MAX_NAME + 1): True}},
        {"categories": {str(number): True for number in range(MAX_CATEGORIES + 1)}},
        {"category_scores": None},
        {"category_scores": {"hate": True}},
        {"category_scores": {"hate": "0.7"}},
        {"category_scores": {"hate": 1.5}},
        {"category_scores": {"hate": -0.1}},
        {"category_scores": {"hate": float("nan")}},
        {"category_scores": {"hate": float("inf")}},
    ],
)
def test_half_a_moderation_is_none(result: dict[str, Any]) -> None:
    with pytest.raises(CallFailedError) as raised:
        read(**result)
    assert raised.value.problem.code is ErrorCode.MALFORMED_RESPONSE


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"<html>",
        b"{}",
        b'{"results": []}',
        b'{"results": [null]}',
        b'{"results": {"0": {}}}',
        json.dumps({"results": [RESULT, RESULT]}).encode(),
        json.dumps({"results": [RESULT]}).encode()[:-1],
        b"[" * 100_000,
    ],
)
def test_what_is_no_moderation_of_one_text(body: bytes) -> None:
    with pytest.raises(CallFailedError) as raised:
        read_moderation(body)
    assert raised.value.problem.code is ErrorCode.MALFORMED_RESPONSE


def test_an_error_or_a_block_in_its_place_is_what_it_says() -> None:
    with pytest.raises(CallFailedError) as raised:
        read_moderation(b'{"error": {"code": 429, "message": "slow down"}}')
    assert raised.value.problem.code is ErrorCode.RATE_LIMITED
    with pytest.raises(BlockedError, match="violence"):
        read_moderation(json.dumps(AZURE).encode())


@given(st.binary())
def test_bytes_are_a_moderation_or_one_of_two_errors(body: bytes) -> None:
    with contextlib.suppress(CallFailedError, BlockedError):
        read_moderation(body)
