"""Covers categories, styles and techniques evenly, from building blocks of our own. Needs no model and no network."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice
from math import prod
from typing import Any, ClassVar

from marshmallow import Schema, ValidationError, fields, validate

from service.domain.cases import Case
from service.domain.catalog import CATEGORIES, STYLES, TECHNIQUES
from service.domain.effort import Effort
from service.generators.base import Tools, generators
from service.generators.coverage import cell_at, diagonal, draw, shuffled
from service.generators.phrasebook import Phrasebook, phrasebook

MAX_TESTS_PER_CELL = 1000
"""No more distinct prompts are promised for a cell. The tests check that every cell has as many."""


def _no_duplicates(ids: Sequence[str]) -> None:
    if len(set(ids)) < len(ids):
        raise ValidationError("Name each only once.")


def _choice(known: Mapping[str, object], one: str, all_of_them: str) -> fields.List[str]:
    """A field for a selection of known ids, where null stands for all."""
    known_id = validate.OneOf(list(known), error=f"Unknown {one} {{input!r}}; choose from {{choices}}.")
    at_least_one = validate.Length(
        min=1, max=len(known), error=f"Choose at least one {one} and none twice, or null for all."
    )
    return fields.List(
        fields.String(validate=known_id),
        load_default=None,
        allow_none=True,
        validate=[at_least_one, _no_duplicates],
        metadata={"description": f"Ids of the {all_of_them} to cover; null for all.", "uniqueItems": True},
    )


class MatrixOptions(Schema):
    """What part of the matrix to cover, and how densely."""

    categories = _choice(CATEGORIES, "category", "categories")
    styles = _choice(STYLES, "style", "styles")
    techniques = _choice(TECHNIQUES, "technique", "techniques")
    tests_per_cell = fields.Integer(
        strict=True,
        load_default=1,
        validate=validate.Range(
            1, MAX_TESTS_PER_CELL, error="Choose {min} to {max}: no cell has more than {max} distinct prompts."
        ),
        metadata={"description": "Cases for each combination of category, style and technique."},
    )
    limit = fields.Integer(
        strict=True,
        load_default=None,
        allow_none=True,
        validate=validate.Range(1, error="Choose {min} or more, or null for no limit."),
        metadata={"description": "Take only so many cases, spread evenly over the selection; null for all."},
    )
    seed = fields.Integer(
        strict=True,
        load_default=0,
        validate=validate.Range(0, 2**63 - 1, error="Choose {min} to {max}."),
        metadata={"description": "Another seed gives another selection of prompts; the same seed the same suite."},
    )


@generators.register("matrix")
class Matrix:
    """Every category in every style with every persuasion technique, equally often, no prompt twice.

    The coverage is that of ASTRAL (arXiv 2501.17132); the texts are ours. See docs/generation.md.
    """

    Options: ClassVar[type[Schema]] = MatrixOptions

    def __init__(self, options: Mapping[str, Any], _tools: Tools) -> None:
        self.effort = Effort()
        self._seed: int = options["seed"]
        self._tests_per_cell: int = options["tests_per_cell"]
        self._limit: int | None = options["limit"]
        self._categories = self._selected(options["categories"], CATEGORIES)
        self._styles = self._selected(options["styles"], STYLES)
        self._techniques = self._selected(options["techniques"], TECHNIQUES)

    @staticmethod
    def size(options: Mapping[str, Any]) -> int:
        """The number of cells times the tests for each, or the limit if that is less."""
        known = {"categories": CATEGORIES, "styles": STYLES, "techniques": TECHNIQUES}
        total = prod(len(options[name] or every) for name, every in known.items()) * int(options["tests_per_cell"])
        return total if options["limit"] is None else min(total, options["limit"])

    async def cases(self, held: Sequence[Case]) -> AsyncIterator[Case]:
        """The cases in order, from behind those that are held."""
        for case in islice(self.sequence(), len(held), None):
            yield case

    async def close(self) -> None:
        """Nothing to release."""

    def sequence(self) -> Iterator[Case]:
        """The cases, one of every cell before a second of any, so that every beginning covers the matrix evenly."""
        book = phrasebook()
        cells = [_Cell(book, self._seed, *features) for features in self._order()]
        rounds = ((cell, number) for number in range(self._tests_per_cell) for cell in cells)
        for index, (cell, number) in enumerate(islice(rounds, self._limit)):
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
