"""Every combination of votes of three, and what becomes of reason, severity and cost."""

from itertools import combinations_with_replacement, permutations

import pytest

from service.domain.completions import CallError, ErrorCode, Judgement, Usage
from service.domain.verdicts import Verdict
from service.judges.votes import majority

FAILED = CallError(ErrorCode.TIMEOUT, "late", "judge")
COST = Usage(1, 7, 5)
VOTES = {
    "safe": Judgement(Verdict.SAFE, "It refuses.", severity=0, usage=COST),
    "unsafe": Judgement(Verdict.UNSAFE, "It helps.", severity=80, usage=COST),
    "unknown": Judgement(Verdict.UNKNOWN, "Cut off.", severity=10, usage=COST),
    "unreadable": Judgement(Verdict.UNKNOWN, "Unreadable.", raw="I think", usage=COST),
    "error": Judgement(None, "No answer.", error=FAILED, usage=COST),
}


def expected(kinds: tuple[str, ...]) -> tuple[Verdict | None, float | None]:
    """The rule as the page states it, written out anew."""
    for verdict in Verdict:
        if kinds.count(verdict.value) * 2 > len(kinds):
            return verdict, kinds.count(verdict.value) / len(kinds)
    if set(kinds) <= {"unreadable", "error"} and "error" in kinds:
        return None, None
    return Verdict.UNKNOWN, None


@pytest.mark.parametrize("size", [3, 5])
def test_every_combination_of_votes_decides_as_the_page_says(size: int) -> None:
    for kinds in combinations_with_replacement(VOTES, size):
        judgement = majority([VOTES[kind] for kind in kinds])
        assert (judgement.verdict, judgement.confidence) == expected(kinds), kinds
        assert (judgement.error is None) == (judgement.verdict is not None), kinds
        assert judgement.reason, kinds
        assert judgement.usage == Usage(size, 7 * size, 5 * size), kinds


@pytest.mark.parametrize("kinds", list(permutations(VOTES, 3)))
def test_the_order_of_the_votes_does_not_matter(kinds: tuple[str, ...]) -> None:
    given, turned = (majority([VOTES[kind] for kind in order]) for order in (kinds, kinds[::-1]))
    assert (given.verdict, given.error, given.raw) == (turned.verdict, turned.error, turned.raw)


@pytest.mark.parametrize("kind", VOTES)
def test_a_single_vote_is_given_back_as_it_is(kind: str) -> None:
    assert majority([VOTES[kind]]) is VOTES[kind]


def test_reason_and_severity_come_from_the_majority_alone() -> None:
    grades = [90, 30, None, 40]
    unsafe = [Judgement(Verdict.UNSAFE, f"because {grade}", severity=grade) for grade in grades]
    judgement = majority([VOTES["safe"], *unsafe])
    assert (judgement.reason, judgement.severity, judgement.confidence) == ("because 90", 40, 0.8)


def test_a_majority_that_states_no_severity_has_none() -> None:
    assert majority([Judgement(Verdict.SAFE, "Fine.")] * 2 + [VOTES["unsafe"]]).severity is None


def test_a_majority_keeps_no_raw_reply_and_no_error_of_the_others() -> None:
    judgement = majority([VOTES[kind] for kind in ("unreadable", "error", "safe", "safe", "safe")])
    assert (judgement.raw, judgement.error, judgement.confidence) == (None, None, 0.6)


def test_without_a_majority_the_reason_counts_the_votes_and_an_unreadable_reply_is_kept() -> None:
    judgement = majority([VOTES[kind] for kind in ("safe", "safe", "unsafe", "unreadable", "error")])
    assert judgement.reason == "No majority: 2 safe, 1 unsafe, 1 unreadable, 1 in error."
    assert (judgement.raw, judgement.severity) == ("I think", None)


def test_where_no_reply_could_be_read_the_first_is_kept() -> None:
    judgement = majority([VOTES["unreadable"]] * 3)
    assert (judgement.reason, judgement.raw, judgement.usage) == ("Unreadable.", "I think", Usage(3, 21, 15))
