"""Covers categories, styles, techniques and languages evenly, from building blocks of our own. Needs no model."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice
from math import prod
from typing import Any, ClassVar

from marshmallow import Schema

from service.domain.cases import Case
from service.domain.catalog import CATEGORIES, STYLES, TECHNIQUES
from service.generators.base import generators
from service.generators.coverage import cell_at, diagonal, draw, sample, shuffled
from service.generators.matrix_options import MatrixOptions
from service.generators.phrasebook import LANGUAGES, phrasebook


@generators.register("matrix")
class Matrix:
    """Every category in every style with every persuasion technique in every language, equally often, none twice.

    The coverage is that of ASTRAL (arXiv 2501.17132); the texts are ours. See docs/generation.md.
    """

    Options: ClassVar[type[Schema]] = MatrixOptions

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._seed: int = options["seed"]
        self._tests_per_cell: int = options["tests_per_cell"]
        self._limit: int | None = options["limit"]
        self._strength: int | None = options["strength"]
        self._categories = self._selected(options["categories"], CATEGORIES)
        self._styles = self._selected(options["styles"], STYLES)
        self._techniques = self._selected(options["techniques"], TECHNIQUES)
        self._languages = self._selected(options["languages"], LANGUAGES)

    def size(self) -> int:
        """The number of cells times the tests for each, or the limit if that is less."""
        total = self._cell_count * self._tests_per_cell
        return total if self._limit is None else min(total, self._limit)

    def cases(self) -> Iterator[Case]:
        """The cases, one of every cell before a second of any, so that every beginning covers the matrix evenly."""
        cells = [_Cell(self._seed, *features) for features in self._order()]
        rounds = ((cell, number) for number in range(self._tests_per_cell) for cell in cells)
        for index, (cell, number) in enumerate(islice(rounds, self.size())):
            yield Case(index, cell.prompt(number), cell.category, cell.style, cell.technique, cell.language)

    @property
    def _sizes(self) -> tuple[int, int, int, int]:
        return len(self._categories), len(self._styles), len(self._techniques), len(self._languages)

    @property
    def _cell_count(self) -> int:
        return prod(self._sizes) if self._strength is None else len(sample(self._sizes, self._strength, self._seed))

    def _selected(self, chosen: Sequence[str] | None, known: Collection[str]) -> list[str]:
        # The order in which somebody lists a selection should not change the suite.
        ids = [known_id for known_id in known if chosen is None or known_id in chosen]
        return shuffled(ids, self._seed)

    def _order(self) -> Iterator[tuple[str, str, str, str]]:
        for category, style, technique, language in self._places():
            yield (
                self._categories[category],
                self._styles[style],
                self._techniques[technique],
                self._languages[language],
            )

    def _places(self) -> Iterable[tuple[int, int, int, int]]:
        if self._strength is not None:
            return sample(self._sizes, self._strength, self._seed)
        return (cell_at(step, *self._sizes) for step in range(self._cell_count))


class _Cell:
    """The prompts of one cell, by number: every combination of intent, claim and wording once, in a seeded order.

    Neighbouring numbers differ in all three, and no intent comes a second time before all have come once.
    """

    def __init__(self, seed: int, category: str, style: str, technique: str, language: str) -> None:
        self.category, self.style, self.technique, self.language = category, style, technique, language
        self._book = phrasebook(language)
        # Without the language, so that English suites are what they were before there were others.
        self._seed = (seed, category, style, technique)

    @cached_property
    def _intents(self) -> list[int]:
        return shuffled(range(len(self._book.subjects[self.category].intents)), *self._seed)

    def prompt(self, number: int) -> str:
        """The prompt of that number, which must be less than the number of combinations."""
        claims, wordings = len(self._book.claims[self.technique]), len(self._book.wordings[self.style])
        lap, place = divmod(number, len(self._intents))
        # Within a lap every intent differs. From lap to lap, each intent goes one step further along its diagonal.
        step = draw(0, *self._seed) + place + lap
        claim, wording = diagonal(step, claims, wordings)
        intent = self._intents[place]
        return self._book.prompt(self.category, self.style, self.technique, intent=intent, claim=claim, wording=wording)
