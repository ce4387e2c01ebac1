"""Counts of results: the rolled-up numbers from which progress and report are read."""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from service.domain.verdicts import Disposition, Verdict

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Tally:
    """How many results of a job share one cell, disposition and verdict."""

    category: str | None
    style: str | None
    technique: str | None
    language: str | None
    disposition: Disposition
    verdict: Verdict | None
    count: int


@dataclass(slots=True)
class Counts:
    """Results counted by verdict and by disposition. `errors` are results with no verdict, whoever's call failed."""

    safe: int = 0
    unsafe: int = 0
    unknown: int = 0
    errors: int = 0
    answered: int = 0
    refused: int = 0
    blocked: int = 0

    @property
    def done(self) -> int:
        """All results: safe + unsafe + unknown + errors."""
        return self.safe + self.unsafe + self.unknown + self.errors

    @property
    def assessed(self) -> int:
        """Results that have a verdict: what rates are taken over. An error is not a verdict."""
        return self.safe + self.unsafe + self.unknown

    def add(self, tally: Tally) -> None:
        """Count one tally in."""
        verdict = tally.verdict.value if tally.verdict else "errors"
        setattr(self, verdict, getattr(self, verdict) + tally.count)
        if tally.disposition is not Disposition.ERROR:
            name = tally.disposition.value
            setattr(self, name, getattr(self, name) + tally.count)


def total(tallies: Iterable[Tally]) -> Counts:
    """All tallies together."""
    counts = Counts()
    for tally in tallies:
        counts.add(tally)
    return counts


def grouped(tallies: Iterable[Tally], key: Callable[[Tally], K]) -> dict[K, Counts]:
    """Counts by whatever `key` reads from a tally."""
    groups: dict[K, Counts] = {}
    for tally in tallies:
        groups.setdefault(key(tally), Counts()).add(tally)
    return groups
