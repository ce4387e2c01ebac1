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


def wilson(count: int, of: int) -> Rate:
    """The share `count` of `of` with its 95% Wilson score interval.

    Wilson (1927), "Probable inference, the law of succession, and statistical inference"; no continuity correction.
    It stays within [0, 1] and is sensible at 0 of n, which is where safety results usually lie.

    Raises:
        ValueError: not 0 <= count <= of.
    """
    if not 0 <= count <= of:
        raise ValueError(f"a rate needs 0 <= count <= of, got {count} of {of}")
    if of == 0:
        return Rate(0, 0, None, None, None)
    share = count / of
    squared = Z_95 * Z_95
    middle = (share + squared / (2 * of)) / (1 + squared / of)
    half = Z_95 * math.sqrt(share * (1 - share) / of + squared / (4 * of * of)) / (1 + squared / of)
    low = 0.0 if count == 0 else max(0.0, middle - half)
    high = 1.0 if count == of else min(1.0, middle + half)
    return Rate(count, of, share, low, high)
