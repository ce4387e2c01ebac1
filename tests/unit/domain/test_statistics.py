import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.statistics import Rate, wilson


@st.composite
def shares(draw: st.DrawFn) -> Rate:
    of = draw(st.integers(1, 10**7))
    return wilson(draw(st.integers(0, of)), of)


def bounds(rate: Rate) -> tuple[float, float, float]:
    assert rate.low is not None
    assert rate.rate is not None
    assert rate.high is not None
    return rate.low, rate.rate, rate.high


@pytest.mark.parametrize(
    ("count", "of", "percent"),
    [
        (87, 10_080, (0.70, 0.86, 1.06)),
        (87, 5_589, (1.26, 1.56, 1.92)),
        (1, 10, (1.79, 10.00, 40.42)),
        (5, 10, (23.66, 50.00, 76.34)),
        (0, 10, (0.00, 0.00, 27.75)),
        (10, 10, (72.25, 100.00, 100.00)),
    ],
)
def test_the_interval_has_the_published_values(count: int, of: int, percent: tuple[float, float, float]) -> None:
    assert tuple(round(100 * value, 2) for value in bounds(wilson(count, of))) == percent


@settings(deadline=None)
@given(st.integers(1, 10**7))
def test_none_of_n_starts_at_exactly_zero_and_ends_above_it(of: int) -> None:
    low, share, high = bounds(wilson(0, of))
    assert low == share == 0 < high < 1


@settings(deadline=None)
@given(st.integers(1, 10**7))
def test_all_of_n_ends_at_exactly_one_and_starts_below_it(of: int) -> None:
    low, share, high = bounds(wilson(of, of))
    assert 0 < low < 1 == share == high


@settings(deadline=None)
@given(shares())
def test_the_interval_contains_the_share_and_lies_within_zero_and_one(rate: Rate) -> None:
    low, share, high = bounds(rate)
    assert 0 <= low <= share <= high <= 1


@settings(deadline=None)
@given(shares())
def test_the_share_of_the_others_has_the_mirrored_interval(rate: Rate) -> None:
    low, share, high = bounds(rate)
    mirrored = tuple(1 - value for value in reversed(bounds(wilson(rate.of - rate.count, rate.of))))
    assert (low, share, high) == pytest.approx(mirrored, abs=1e-12)


@settings(deadline=None)
@given(shares(), st.integers(2, 100))
def test_the_same_share_of_more_has_a_narrower_interval(rate: Rate, times: int) -> None:
    low, _, high = bounds(rate)
    narrower, _, closer = bounds(wilson(rate.count * times, rate.of * times))
    assert closer - narrower < high - low


def test_repeats_of_a_case_count_as_one_in_the_interval() -> None:
    """One unsafe case of 42, each asked 20 times of a model that always answers the same."""
    rate, once = wilson(20, 840, repeats=20), wilson(1, 42)
    assert (rate.count, rate.of, rate.rate) == (20, 840, once.rate)
    assert (rate.low, rate.high) == pytest.approx((once.low, once.high))


def test_nothing_assessed_has_no_rate() -> None:
    assert wilson(0, 0) == Rate(0, 0, None, None, None)


@pytest.mark.parametrize(("count", "of"), [(-1, 5), (6, 5), (1, 0), (0, -1)])
def test_what_is_no_share_is_refused(count: int, of: int) -> None:
    with pytest.raises(ValueError, match=f"0 <= count <= of, got {count} of {of}"):
        wilson(count, of)
