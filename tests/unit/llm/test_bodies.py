import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.llm.bodies import ErrorBody, read_error

AZURE = {
    "error": {
        "message": "The response was filtered.",
        "type": None,
        "code": "content_filter",
        "status": 400,
        "innererror": {
            "code": "ResponsibleAIPolicyViolation",
            "content_filter_result": {
                "violence": {"filtered": True, "severity": "high"},
                "hate": {"filtered": False, "severity": "safe"},
                "jailbreak": {"filtered": True, "detected": True},
            },
        },
    }
}
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["error", "code", "message", "innererror", "metadata", "detail"]), inner)
    ),
)


def read(value: Any) -> ErrorBody:
    return read_error(json.dumps(value).encode())


BLOCKS = [
    (AZURE, "content_filter: violence (high), jailbreak"),
    ({"error": {"code": "content_policy_violation", "message": "no"}}, "content_policy_violation"),
    ({"error": {"code": "invalid_prompt", "type": "invalid_request_error"}}, "invalid_prompt"),
    (
        {"error": {"code": None, "inner_error": {"code": "ResponsibleAIPolicyViolation"}}},
        "responsibleaipolicyviolation",
    ),
    ({"error": {"type": "moderation_blocked"}}, "moderation_blocked"),
    ({"code": "DataInspectionFailed", "message": "x"}, "datainspectionfailed"),
    ({"error": {"code": "data_inspection_failed"}}, "data_inspection_failed"),
    ({"error": {"code": 403, "metadata": {"reasons": ["hate"], "flagged_input": "…"}}}, "moderation"),
]


@pytest.mark.parametrize(("value", "reason"), BLOCKS)
def test_providers_ways_to_say_blocked(value: Any, reason: str) -> None:
    assert read(value).block_reason == reason


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"error": {"message": "boom"}}, "boom"),
        ({"error": "boom"}, "boom"),
        ([{"error": {"message": "boom", "code": 429}}], "boom"),
        ({"object": "error", "message": "boom", "code": 404}, "boom"),
        ({"detail": "boom"}, "boom"),
        ("boom", "boom"),
        ({}, ""),
        ([], ""),
        (None, ""),
    ],
)
def test_the_message_is_found_in_every_shape(value: Any, message: str) -> None:
    assert read(value).message == message
    assert read(value).block_reason is None


def test_a_body_that_is_no_json_is_its_own_message() -> None:
    assert read_error(b"<h1>502 Bad Gateway</h1>\xff").message == "<h1>502 Bad Gateway</h1>\ufffd"


def test_talk_of_a_filter_in_the_message_is_no_block() -> None:
    assert read({"error": {"message": "bad content_filter option", "code": "invalid_value"}}).block_reason is None


@given(anything)
def test_nothing_makes_it_raise(value: Any) -> None:
    assert isinstance(read(value).message, str)


@given(st.binary())
def test_no_bytes_make_it_raise(body: bytes) -> None:
    read_error(body)


def test_deep_nesting_is_no_crash() -> None:
    assert read_error(b"[" * 100_000).codes == ()
