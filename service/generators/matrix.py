"""Covers categories, styles and techniques evenly, from building blocks of our own. Needs no model and no network."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice
from typing import Any, ClassVar

from marshmallow import Schema, fields, validate

from service.domain.cases import Case
from service.domain.catalog import CATEGORIES, STYLES, TECHNIQUES
from service.generators.base import generators
from service.generators.coverage import cell_at, diagonal, draw, shuffled
from service.generators.phrasebook import Phrasebook, phrasebook
from service.generators.selection import SelectionOptions

MAX_TESTS_PER_CELL = 1000
"""No more distinct prompts are promised for a cell. The tests check that every cell has as many."""


class MatrixOptions(SelectionOptions):
    """What part of the matrix to cover, and how densely."""

    tests_per_cell = fields.Integer(
        strict=True,
        load_default=1,
        validate=validate.Range(
            1, MAX_TESTS_PER_CELL, error="Choose {min} to {max}: no cell has more than {max} distinct prompts."
        ),
        metadata={"description": "Cases for each combination of category, style and technique."},
    )


@generators.register("matrix")
class Matrix:
    """Every category in every style with every persuasion technique, equally often, no prompt twice.

    The coverage is that of ASTRAL (arXiv 2501.17132); the texts are ours. See docs/generation.md.
    """

    Options: ClassVar[type[Schema]] = MatrixOptions

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._seed: int = options["seed"]
        self._tests_per_cell: int = options["tests_per_cell"]
        self._limit: int | None = options["limit"]
        self._categories = self._selected(options["categories"], CATEGORIES)
        self._styles = self._selected(options["styles"], STYLES)
        self._techniques = self._selected(options["techniques"], TECHNIQUES)

    def size(self) -> int:
        """The number of cells times the tests for each, or the limit if that is less."""
        total = self._cell_count * self._tests_per_cell
        return total if self._limit is None else min(total, self._limit)

    def cases(self) -> Iterator[Case]:
        """The cases, one of every cell before a second of any, so that every beginning covers the matrix evenly."""
        book = phrasebook()
        cells = [_Cell(book, self._seed, *features) for features in self._order()]
        rounds = ((cell, number) for number in range(self._tests_per_cell) for cell in cells)
        for index, (cell, number) in enumerate(islice(rounds, self.size())):
            yield Case(index, cell.prompt(number), cell.category, cell.style, cell.technique)

    @property
    def _cell_count(self) -> int:
        return len(self._categories) * len(self._styles) * len(self._techniques)

    def _selected(self, chosen: Sequence[str] | None, known: Mapping[str, object]) -> list[str]:
        # The order in which somebody lists a selection should not change the suite.
        ids = [known_id for known_id in known if chosen is None or known_id in chosen]
        return shuffled(ids, self._seed)

    def _order(self) -> Iterator[tuple[str, str, str]]:
        sizes = len(self._categories), len(self._styles), len(self._techniques)
        for step in range(self._cell_count):
            category, style, technique = cell_at(step, *sizes)
            yield self._categories[category], self._styles[style], self._techniques[technique]


class _Cell:
    """The prompts of one cell, by number: every combination of intent, claim and wording once, in a seeded order.

    Neighbouring numbers differ in all three, and no intent comes a second time before all have come once.
    """

    def __init__(self, book: Phrasebook, seed: int, category: str, style: str, technique: str) -> None:
        self.category, self.style, self.technique = category, style, technique
        self._book = book
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
        lead = self._book.lead(self.category, self.style, wording, self.technique, claim)
        return f"{lead} {self._book.request(self.category, self._intents[place], self.style, wording)}"
