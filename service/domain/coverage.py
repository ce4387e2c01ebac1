"""What part of the coverage matrix a list of cases covers: counts by cell, and combinations of feature values.

Coverage of strength t counts the combinations of the values of t features that occur together in some case, as in
combinatorial testing (NIST SP 800-142): strength 1 counts single values, 2 pairs, 3 triples, 4 whole cells.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations, product
from typing import NamedTuple

from service.domain.cases import Case

FEATURES = ("category", "style", "technique", "language")
"""The features of the matrix, in the order of a cell."""


class Cell(NamedTuple):
    """A cell of the matrix; a feature is None where an uploaded case does not name it."""

    category: str | None
    style: str | None
    technique: str | None
    language: str | None


@dataclass(frozen=True, slots=True)
class Covered:
    """Which combinations of the values of some features occur, of those that may."""

    features: tuple[str, ...]
    values: frozenset[tuple[str, ...]]
    """The combinations that occur, each in the order of `features`."""
    missing: frozenset[tuple[str, ...]]
    """Those that do not."""

    @property
    def possible(self) -> int:
        """How many there are in the selection."""
        return len(self.values) + len(self.missing)


@dataclass(frozen=True, slots=True)
class Coverage:
    """The coverage of strength t of a list of cases, one entry for each choice of t features."""

    strength: int
    by_features: tuple[Covered, ...]

    @property
    def covered(self) -> int:
        """How many combinations occur, over all choices of features."""
        return sum(len(part.values) for part in self.by_features)

    @property
    def possible(self) -> int:
        """How many there are."""
        return sum(part.possible for part in self.by_features)

    @property
    def complete(self) -> bool:
        """Whether every one occurs."""
        return self.covered == self.possible


def cell_of(case: Case | Cell) -> Cell:
    """The cell a case stands in."""
    return Cell(case.category, case.style, case.technique, case.language)


def cases_by_cell(cases: Iterable[Case | Cell]) -> Counter[Cell]:
    """How many cases stand in each cell; cells with none are not in it, though asking for one gives 0."""
    return Counter(map(cell_of, cases))


def coverage(
    cases: Iterable[Case | Cell], strength: int, selection: Mapping[str, Collection[str]] | None = None
) -> Coverage:
    """Which combinations of the values of any `strength` features the cases cover, out of those of the selection.

    Args:
        cases: read once and not kept, so any number will do; cells with their counts (`cases_by_cell`) do as well.
        strength: 1 to 4.
        selection: the values of each of FEATURES that were asked for; without it, those that occur in the cases.
            Values outside it do not count, nor does a case where it lacks a feature.
    """
    cells = {cell_of(case) for case in cases}
    chosen = _values_in(cells) if selection is None else [sorted(set(selection[feature])) for feature in FEATURES]
    places = combinations(range(len(FEATURES)), strength)
    return Coverage(strength, tuple(_covered(cells, place, chosen) for place in places))


def _values_in(cells: Iterable[Cell]) -> list[list[str]]:
    columns = zip(*cells, strict=True)
    return [sorted({value for value in column if value is not None}) for column in columns] or [[] for _ in FEATURES]


def _covered(cells: Iterable[Cell], places: tuple[int, ...], chosen: list[list[str]]) -> Covered:
    possible = frozenset(product(*(chosen[place] for place in places)))
    met = {tuple(cell[place] for place in places) for cell in cells}
    values = possible & met
    return Covered(tuple(FEATURES[place] for place in places), frozenset(values), possible - values)
