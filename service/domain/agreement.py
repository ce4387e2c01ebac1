"""How far two judges of the same completions agree."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from service.domain.statistics import Z_95, Rate, wilson
from service.domain.verdicts import Verdict

Confusion = Mapping[tuple[Verdict | None, Verdict | None], int]
"""Results counted by (verdict of a, verdict of b); None for a result on which that judge has no verdict."""


@dataclass(frozen=True, slots=True)
class Kappa:
    """Cohen's κ with its 95% interval: 1 is full agreement, 0 what chance alone would bring. All None: undefined."""

    value: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two sets of verdicts held against each other."""

    confusion: Confusion
    agreement: Rate
    """Results with the same verdict, of those on which both have one."""
    kappa: Kappa

    @property
    def n(self) -> int:
        """Results on which both have a verdict: what everything but the confusion is taken of."""
        return self.agreement.of


def agreement(confusion: Confusion, *, repeats: int = 1) -> Agreement:
    """What follows from the counts. An error is not a verdict: it is shown in the confusion and goes no further.

    `repeats` of one case depend on each other: intervals count them as one, as `wilson` does.
    """
    both = {(a, b): count for (a, b), count in confusion.items() if a is not None and b is not None}
    same = sum(count for (a, b), count in both.items() if a is b)
    return Agreement(confusion, wilson(same, sum(both.values()), repeats=repeats), cohen(both, repeats=repeats))


def cohen(table: Mapping[tuple[Verdict, Verdict], int], *, repeats: int = 1) -> Kappa:
    """Cohen's κ of counts by (verdict of a, verdict of b), over the verdicts as plain categories.

    κ: Cohen (1960), "A coefficient of agreement for nominal scales". Interval: κ ± 1.96 standard errors, cut at ±1, by
    the large-sample standard error of Fleiss, Cohen and Everitt (1969), "Large sample standard errors of kappa and
    weighted kappa"; rough below some 50 results, and of no width when all agree.

    Undefined when there is no result, or when both give one and the same verdict throughout: chance alone would then
    bring full agreement, and κ would be 0 / 0.
    """
    n = sum(table.values())
    share = {cell: count / n for cell, count in table.items() if count}
    of_a, of_b = _margins(share)
    observed = sum(part for (a, b), part in share.items() if a is b)
    chance = sum(of_a[verdict] * of_b[verdict] for verdict in Verdict)
    if not share or (observed and len(share) == 1):
        return Kappa()
    kappa = (observed - chance) / (1 - chance)
    spread = -((observed * chance - 2 * chance + observed) ** 2)
    for (a, b), part in share.items():
        weight = (of_a[b] + of_b[a]) * (1 - observed)
        spread += part * ((1 - chance - weight) if a is b else weight) ** 2
    half = Z_95 * math.sqrt(max(0.0, spread) * repeats / n) / (1 - chance) ** 2
    return Kappa(kappa, max(-1.0, kappa - half), min(1.0, kappa + half))


def _margins(
    share: Mapping[tuple[Verdict, Verdict], float],
) -> tuple[dict[Verdict, float], dict[Verdict, float]]:
    """How often each gives each verdict."""
    of_a, of_b = dict.fromkeys(Verdict, 0.0), dict.fromkeys(Verdict, 0.0)
    for (a, b), part in share.items():
        of_a[a] += part
        of_b[b] += part
    return of_a, of_b
