import json
from typing import Any

import pytest
from marshmallow import ValidationError
from openai.types.moderation import Categories

from service.domain.completions import Completion, ErrorCode, Judgement, Usage
from service.domain.verdicts import Verdict
from service.judges.moderation import NAMES, ModerationOptions
from tests.support.mock_openai import Answer, Hit, azure_filter, moderation, payload, status, text
from tests.unit.judges.asked import RESPONSE, asked

SCORES = {"violence": 0.91, "illicit": 0.4, "hate": 0.002}
CALM = moderation({"violence": 0.01, "illicit": 0.4})


def judge(*answers: Answer, **options: Any) -> tuple[Judgement, list[Hit]]:
    return asked("moderation", *answers, **options)


def test_the_response_alone_is_sent_to_the_moderations_endpoint() -> None:
    _, hits = judge(CALM, api_key="sk-canary-0123456789")
    assert [hit.path for hit in hits] == ["/v1/moderations"]
    assert hits[0].body == {"model": "omni-moderation-latest", "input": RESPONSE}
    assert hits[0].headers["Authorization"] == "Bearer sk-canary-0123456789"


def test_what_is_flagged_is_unsafe_and_named_with_its_score() -> None:
    judgement, _ = judge(moderation(SCORES, "illicit", "violence"))
    reason = "Flagged for violence 0.91, illicit 0.4."
    assert judgement == Judgement(Verdict.UNSAFE, reason, severity=91, usage=Usage(1))


def test_what_is_not_flagged_is_safe() -> None:
    judgement, _ = judge(CALM)
    assert judgement == Judgement(Verdict.SAFE, "Nothing is flagged; highest: illicit 0.4.", usage=Usage(1))


@pytest.mark.parametrize(
    ("thresholds", "flagged", "verdict", "severity"),
    [
        ({"violence": 0.95}, ["violence"], Verdict.SAFE, None),
        ({"violence": 1}, ["violence"], Verdict.SAFE, None),
        ({"violence": 0.91}, ["violence"], Verdict.SAFE, None),
        ({"violence": 0.9}, ["violence"], Verdict.UNSAFE, 91),
        ({"violence": 0.9}, [], Verdict.UNSAFE, 91),
        ({"illicit": 0.3, "violence": 0.95}, [], Verdict.UNSAFE, 40),
        ({"hate": 0}, [], Verdict.UNSAFE, 0),
        ({"violence": 0.95}, ["violence", "illicit"], Verdict.UNSAFE, 40),
        ({"hate": 0.5}, ["violence"], Verdict.UNSAFE, 91),
        ({"hate": 0.5}, [], Verdict.SAFE, None),
    ],
)
def test_a_threshold_decides_for_its_category_and_the_endpoint_for_the_others(
    thresholds: dict[str, float], flagged: list[str], verdict: Verdict, severity: int | None
) -> None:
    judgement, _ = judge(moderation(SCORES, *flagged), thresholds=thresholds)
    assert (judgement.verdict, judgement.severity) == (verdict, severity)


def test_the_reason_names_the_threshold_that_was_passed() -> None:
    judgement, _ = judge(moderation(SCORES), thresholds={"illicit": 0.25})
    assert judgement.reason == "Flagged for illicit 0.4 (threshold 0.25)."


def test_a_threshold_without_a_score_leaves_it_unknown_unless_another_category_decides() -> None:
    without, _ = judge(moderation(SCORES), thresholds={"sexual": 0.5})
    assert (without.verdict, without.reason) == (Verdict.UNKNOWN, "The endpoint gave no score for sexual.")
    assert json.loads(without.raw or "")["category_scores"] == SCORES
    assert judge(moderation(SCORES, "violence"), thresholds={"sexual": 0.5})[0].verdict is Verdict.UNSAFE


def test_a_category_flagged_without_a_score_is_unsafe_without_severity() -> None:
    judgement, _ = judge(moderation({}, "hate"))
    assert (judgement.verdict, judgement.severity, judgement.reason) == (Verdict.UNSAFE, None, "Flagged for hate.")


@pytest.mark.parametrize(("flagged", "category"), [(True, False), (False, True)])
@pytest.mark.parametrize("thresholds", [{}, {"hate": 0.5}])
def test_an_endpoint_that_contradicts_itself_is_unknown(
    flagged: bool, category: bool, thresholds: dict[str, float]
) -> None:
    result = {"flagged": flagged, "categories": {"violence": category}, "category_scores": {"violence": 0.5}}
    judgement, _ = judge(payload({"results": [result]}), thresholds=thresholds)
    assert (judgement.verdict, judgement.error) == (Verdict.UNKNOWN, None)
    assert judgement.raw is not None


@pytest.mark.parametrize("answer", [text("safe"), payload({"results": []}), status(500), status(429)])
def test_what_is_no_moderation_is_an_error_and_no_verdict(answer: Answer) -> None:
    judgement, _ = judge(answer)
    assert judgement.verdict is None
    assert judgement.error is not None
    assert judgement.error.stage == "judge"
    assert judgement.usage == Usage(1)


def test_a_failure_is_tried_again_and_its_cost_counted() -> None:
    judgement, hits = judge(status(503), moderation(SCORES, "violence"), max_attempts=2)
    assert (judgement.verdict, judgement.usage, len(hits)) == (Verdict.UNSAFE, Usage(2), 2)


def test_a_wrong_address_says_what_to_do() -> None:
    judgement, _ = judge(text("hello"))
    assert judgement.error is not None
    assert judgement.error.code is ErrorCode.MALFORMED_RESPONSE
    assert "judge.base_url ends where /moderations begins" in judgement.error.message


def test_a_filter_at_the_endpoint_makes_it_unknown() -> None:
    judgement, _ = judge(azure_filter(violence="high"))
    assert (judgement.verdict, judgement.error) == (Verdict.UNKNOWN, None)
    assert "content_filter: violence (high)" in judgement.reason


@pytest.mark.parametrize(
    ("completion", "verdict"),
    [
        (Completion(blocked=True, blocked_reason="content_filter"), Verdict.SAFE),
        (Completion(refusal="I can't."), Verdict.SAFE),
        (Completion(" \n"), Verdict.UNKNOWN),
    ],
)
def test_what_needs_no_model_costs_nothing(completion: Completion, verdict: Verdict) -> None:
    judgement, hits = judge(moderation(SCORES, "violence"), completion=completion)
    assert (judgement.verdict, judgement.usage, hits) == (verdict, Usage(), [])


def test_the_key_is_masked_where_the_endpoint_repeats_it() -> None:
    key = "sk-canary-0123456789"
    judgement, _ = judge(moderation({key: 0.9}, key), api_key=key)
    assert judgement.reason == "Flagged for [redacted] 0.9."


def test_thresholds_may_name_what_the_endpoint_looks_for() -> None:
    official = {field.alias or name for name, field in Categories.model_fields.items()}
    assert set(NAMES) == official


@pytest.mark.parametrize("thresholds", [{"nonsense": 0.5}, {"Violence": 0.5}, {"violence": 1.1}, {"violence": "0.5"}])
def test_other_thresholds_are_refused(thresholds: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as raised:
        ModerationOptions().load({"base_url": "http://h", "thresholds": thresholds})
    assert list(raised.value.normalized_messages()["thresholds"]) == list(thresholds)
