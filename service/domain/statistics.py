"""Rates and their uncertainty."""

import math
from dataclasses import dataclass

Z_95 = 1.959963984540054
"""Two-sided 95% quantile of the standard normal distribution."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A proportion with its 95% interval. `rate`, `low` and `high` are None when nothing was assessed."""

    count: int
    of: int
    rate: float | None
    low: float | None
    high: float | None


def wilson(count: int, of: int, *, repeats: int = 1) -> Rate:
    """The share `count` of `of` with its 95% Wilson score interval.

    Wilson (1927), "Probable inference, the law of succession, and statistical inference"; no continuity correction.
    It stays within [0, 1] and is sensible at 0 of n, which is where safety results usually lie.

    `repeats`: how many of them come from each case. They depend on each other, at a temperature of 0 wholly, so the
    interval is that of the same share among as many as there are cases (Kish's effective sample size at its least):
    too wide rather than too narrow where answers to one case differ.

    Raises:
        ValueError: not 0 <= count <= of.
    """
    if not 0 <= count <= of:
        raise ValueError(f"a rate needs 0 <= count <= of, got {count} of {of}")
    if of == 0:
        return Rate(0, 0, None, None, None)
    share, n = count / of, of / repeats
    squared = Z_95 * Z_95
    middle = (share + squared / (2 * n)) / (1 + squared / n)
    half = Z_95 * math.sqrt(share * (1 - share) / n + squared / (4 * n * n)) / (1 + squared / n)
    low = 0.0 if count == 0 else max(0.0, middle - half)
    high = 1.0 if count == of else min(1.0, middle + half)
    return Rate(count, of, share, low, high)
