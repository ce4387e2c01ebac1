"""Cohen's κ against figures worked out by hand."""

from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.agreement import Kappa, agreement, cohen
from service.domain.verdicts import Verdict

SAFE, UNSAFE, UNKNOWN = Verdict.SAFE, Verdict.UNSAFE, Verdict.UNKNOWN
TABLES = st.dictionaries(st.tuples(st.sampled_from(Verdict), st.sampled_from(Verdict)), st.integers(0, 10**6))


def test_kappa_of_two_verdicts_by_hand() -> None:
    """Of 50 results both say safe of 20 and unsafe of 15; a alone says unsafe of 5, b alone of 10.

    a says safe 30 times and b 25 times. Observed (20 + 15) / 50 = 0.7; by chance 0.6 · 0.5 + 0.4 · 0.5 = 0.5;
    κ = 0.2 / 0.5 = 0.4.

    The variance is [A + B - C] / (50 · 0.5⁴). With 1 - 0.7 = 0.3 and the sums of margins 0.6 + 0.5 = 1.1 (safe) and
    0.4 + 0.5 = 0.9 (unsafe) and, off the diagonal, 0.5 + 0.4 = 0.9 (a safe, b unsafe: b's safe, a's unsafe) and
    0.5 + 0.6 = 1.1:
    A = 0.4 · (0.5 - 0.33)² + 0.3 · (0.5 - 0.27)² = 0.01156 + 0.01587 = 0.02743
    B = 0.3² · (0.2 · 0.9² + 0.1 · 1.1²) = 0.09 · 0.283 = 0.02547
    C = (0.7 · 0.5 - 2 · 0.5 + 0.7)² = 0.05² = 0.0025
    A + B - C = 0.0504, over 50 · 0.0625 = 3.125: 0.016128.
    """
    kappa = cohen({(SAFE, SAFE): 20, (UNSAFE, UNSAFE): 15, (SAFE, UNSAFE): 10, (UNSAFE, SAFE): 5})
    half = 1.959964 * sqrt(0.016128)
    assert (kappa.value, kappa.low, kappa.high) == pytest.approx((0.4, 0.4 - half, 0.4 + half), abs=1e-6)


def test_kappa_of_three_verdicts_by_hand() -> None:
    """Of 20 results both say safe of 8, unsafe of 4, unknown of 2; 4 are safe to a, unsafe to b; 2 unknown, safe.

    Margins of a: 12, 4, 4; of b: 10, 8, 2. Observed 14 / 20; by chance (12 · 10 + 4 · 8 + 4 · 2) / 400 = 160 / 400.
    κ = (0.7 - 0.4) / (1 - 0.4) = 0.5.
    """
    counts = {(SAFE, SAFE): 8, (UNSAFE, UNSAFE): 4, (UNKNOWN, UNKNOWN): 2, (SAFE, UNSAFE): 4, (UNKNOWN, SAFE): 2}
    assert cohen(counts).value == pytest.approx(0.5)


def test_full_agreement_on_several_verdicts_is_one() -> None:
    assert cohen({(SAFE, SAFE): 3, (UNSAFE, UNSAFE): 1}) == Kappa(1, 1, 1)


def test_full_disagreement_over_two_balanced_verdicts_is_minus_one() -> None:
    assert cohen({(SAFE, UNSAFE): 5, (UNSAFE, SAFE): 5}) == Kappa(-1, -1, -1)


@pytest.mark.parametrize("counts", [{}, {(SAFE, SAFE): 0}, {(SAFE, SAFE): 9}, {(UNSAFE, UNSAFE): 1, (SAFE, UNSAFE): 0}])
def test_it_is_undefined_without_results_and_for_one_same_verdict_throughout(
    counts: dict[tuple[Verdict, Verdict], int],
) -> None:
    assert cohen(counts) == Kappa(None, None, None)


def test_one_verdict_from_each_but_not_the_same_is_chance() -> None:
    assert cohen({(SAFE, UNSAFE): 9}).value == 0


@given(TABLES)
def test_the_interval_holds_the_value_and_stays_within_one(counts: dict[tuple[Verdict, Verdict], int]) -> None:
    kappa = cohen(counts)
    if kappa.value is not None and kappa.low is not None and kappa.high is not None:
        assert -1 <= kappa.low <= kappa.value + 1e-9
        assert kappa.value - 1e-9 <= kappa.high <= 1


@given(TABLES)
def test_it_does_not_matter_which_of_the_two_is_a(counts: dict[tuple[Verdict, Verdict], int]) -> None:
    turned = cohen({(b, a): count for (a, b), count in counts.items()})
    kappa = cohen(counts)
    if kappa.value is None:
        assert turned == kappa
    else:
        assert (turned.value, turned.low, turned.high) == pytest.approx((kappa.value, kappa.low, kappa.high), abs=1e-6)


def test_errors_are_kept_apart_and_left_out() -> None:
    verdicts = {(SAFE, SAFE): 20, (UNSAFE, UNSAFE): 15, (SAFE, UNSAFE): 10, (UNSAFE, SAFE): 5}
    errors = {(None, SAFE): 100, (UNSAFE, None): 30, (None, None): 7}
    with_errors, without = agreement({**verdicts, **errors}), agreement(verdicts)
    assert (with_errors.n, with_errors.agreement.count) == (50, 35)
    assert (with_errors.kappa, with_errors.agreement) == (without.kappa, without.agreement)
    assert with_errors.confusion == {**verdicts, **errors}


def test_repeats_of_a_case_count_as_one_in_the_intervals() -> None:
    once = {(SAFE, SAFE): 20, (UNSAFE, UNSAFE): 15, (SAFE, UNSAFE): 10, (UNSAFE, SAFE): 5}
    thrice = agreement({cell: 3 * count for cell, count in once.items()}, repeats=3)
    assert thrice.n == 150
    assert (thrice.kappa.low, thrice.kappa.high) == pytest.approx((cohen(once).low, cohen(once).high))
    assert thrice.agreement.low == pytest.approx(agreement(once).agreement.low)
