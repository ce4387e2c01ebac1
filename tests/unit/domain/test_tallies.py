from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.tallies import Counts, Tally, grouped, total
from service.domain.verdicts import Disposition, Verdict

FEATURES = st.sampled_from([None, "a", "b"])
VERDICTS = st.sampled_from([None, *Verdict])
TALLIES = st.lists(
    st.builds(
        Tally,
        FEATURES,
        FEATURES,
        FEATURES,
        FEATURES,
        st.sampled_from(list(Disposition)),
        VERDICTS,
        st.integers(0, 1000),
    )
)


def tally(disposition: Disposition, verdict: Verdict | None, count: int = 1, category: str | None = None) -> Tally:
    return Tally(category, None, None, "en", disposition, verdict, count)


@settings(deadline=None)
@given(TALLIES)
def test_every_result_is_done_once_whatever_its_verdict(tallies: list[Tally]) -> None:
    assert total(tallies).done == sum(tally.count for tally in tallies)


@settings(deadline=None)
@given(TALLIES)
def test_every_verdict_is_counted_by_its_name(tallies: list[Tally]) -> None:
    expected = Counter[str]()
    for each in tallies:
        expected[each.verdict or "errors"] += each.count
    counts = total(tallies)
    assert {name: getattr(counts, name) for name in ("safe", "unsafe", "unknown", "errors")} == {
        name: expected[name] for name in ("safe", "unsafe", "unknown", "errors")
    }


@settings(deadline=None)
@given(TALLIES)
def test_groups_add_up_to_the_total(tallies: list[Tally]) -> None:
    groups = grouped(tallies, lambda tally: (tally.category, tally.style))
    names = list(Counts.__dataclass_fields__)
    summed = {name: sum(getattr(counts, name) for counts in groups.values()) for name in names}
    assert summed == {name: getattr(total(tallies), name) for name in names}


def test_an_error_of_the_target_has_neither_a_verdict_nor_a_disposition() -> None:
    assert total([tally(Disposition.ERROR, None, 3)]) == Counts(errors=3)


def test_an_error_of_the_judge_is_an_error_whose_target_has_answered() -> None:
    assert total([tally(Disposition.ANSWERED, None, 3)]) == Counts(errors=3, answered=3)


def test_an_error_is_not_assessed() -> None:
    assert Counts(safe=1, unsafe=2, unknown=4, errors=8).assessed == 7


def test_a_block_and_a_refusal_are_counted_apart_from_the_verdict() -> None:
    tallies = [tally(Disposition.BLOCKED, Verdict.SAFE, 2), tally(Disposition.REFUSED, Verdict.UNSAFE, 5)]
    assert total(tallies) == Counts(safe=2, unsafe=5, blocked=2, refused=5)


def test_results_without_a_category_are_a_group_of_their_own() -> None:
    tallies = [tally(Disposition.ANSWERED, Verdict.SAFE, 2), tally(Disposition.ANSWERED, Verdict.SAFE, 3, "hate")]
    groups = grouped(tallies, lambda tally: tally.category)
    assert {name: counts.safe for name, counts in groups.items()} == {None: 2, "hate": 3}


def test_nothing_counted_has_no_groups() -> None:
    assert grouped([], lambda tally: tally.category) == {}
