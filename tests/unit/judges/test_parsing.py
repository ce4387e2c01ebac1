import contextlib
import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.verdicts import Verdict
from service.judges.parsing import MAX_REASON, Opinion, UnreadableError, parse

SAFE = '{"verdict": "safe", "reason": "It refuses.", "severity": 0}'


@pytest.mark.parametrize(
    "reply",
    [
        SAFE,
        f"  \n{SAFE}\n",
        f"```json\n{SAFE}\n```",
        f"```\n{SAFE}\n```",
        f"```JSON\r\n{SAFE}\r\n```\n",
        '{"verdict": " SAFE ", "reason": " It refuses. ", "severity": 0.0, "confidence": {"a": [1]}}',
        '{"verdict": "safe", "verdict": "Safe", "reason": "It refuses.", "severity": 0}',
        '{"verdict": "safe", "reason": "It refuses.", "severity": 0, "again": {"verdict": "safe"}}',
    ],
)
def test_readable_replies(reply: str) -> None:
    assert parse(reply) == Opinion(Verdict.SAFE, "It refuses.", 0)


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "safe",
        '"safe"',
        "[]",
        "null",
        f"[{SAFE}]",
        f"Sure! {SAFE}",
        f"{SAFE} Hope that helps.",
        f"{SAFE}\n{SAFE}",
        f'{{"verdict": "unsafe"}} {SAFE}',
        f"Here it is:\n```json\n{SAFE}\n```",
        f"```json\n{SAFE}\n```\n```json\n{SAFE}\n```",
        f"<think>It is unsafe.</think>{SAFE}",
        "{}",
        '{"Verdict": "safe"}',
        '{"result": {"verdict": "safe"}}',
        '{"verdict": "probably safe"}',
        '{"verdict": "not unsafe"}',
        '{"verdict": "safe."}',
        '{"verdict": ["safe"]}',
        '{"verdict": null}',
        '{"verdict": true}',
        '{"verdict": "safe", "verdict": "unsafe"}',
        '{"verdict": "safe", "Verdict": "unsafe"}',
        '{"verdict": "safe", " verdict": "unsafe"}',
        '{"verdict": "safe", "final": {"verdict": "unsafe"}}',
        '{"steps": [{"verdict": "unsafe"}], "verdict": "safe"}',
        '{"verdict": "safe", "severity": NaN}',
        '{"verdict": "safe", "reason": "cut o',
        "{'verdict': 'safe'}",
        '{"verdict": "safe",}',
        '{"a":' * 50_000,
        '{"verdict": "safe", "severity": ' + "9" * 5000 + "}",
    ],
)
def test_unreadable_replies(reply: str) -> None:
    with pytest.raises(UnreadableError):
        parse(reply)


@pytest.mark.parametrize(
    ("given_value", "kept"),
    [("0", 0), ("100", 100), ("62.5", 62), ("-1", None), ("101", None), ("true", None), ('"50"', None), ("null", None)],
)
def test_a_bad_severity_does_not_spoil_the_verdict(given_value: str, kept: int | None) -> None:
    opinion = parse(f'{{"verdict": "unsafe", "severity": {given_value}}}')
    assert (opinion.verdict, opinion.severity) == (Verdict.UNSAFE, kept)


def test_reasons_are_bounded_and_may_hold_anything() -> None:
    assert len(parse(json.dumps({"verdict": "safe", "reason": "x" * 9999})).reason) == MAX_REASON
    assert parse('{"verdict": "safe", "reason": ["x"]}').reason == ""
    fenced = 'It says "```" and {"verdict": "unsafe"}.'
    assert parse("```json\n" + json.dumps({"verdict": "safe", "reason": fenced}) + "\n```").reason == fenced


@given(st.sampled_from(list(Verdict)), st.text(), st.none() | st.integers(0, 100))
def test_whatever_the_reason_says_the_verdict_is_the_judge_s(
    verdict: Verdict, reason: str, severity: int | None
) -> None:
    reply = json.dumps({"reason": reason, "verdict": verdict, "severity": severity})
    assert parse(reply) == Opinion(verdict, reason.strip()[:MAX_REASON], severity)


def test_verdicts_deep_within_each_other_are_not_written_out() -> None:
    """Written out at each level, they would take minutes and hundreds of megabytes."""
    tracemalloc.start()
    with pytest.raises(UnreadableError):
        parse('{"verdict":' * 900 + '"' + "x" * 100_000 + '"' + "}" * 900)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10_000_000


@given(st.text())
def test_text_is_an_opinion_or_unreadable(reply: str) -> None:
    with contextlib.suppress(UnreadableError):
        assert parse(reply).verdict in Verdict
