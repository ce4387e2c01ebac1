"""Covers categories, styles, techniques and languages evenly, from building blocks of our own. Needs no model."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar

from marshmallow import Schema

from service.domain.cases import Case
from service.domain.effort import Effort
from service.generators.base import Tools, generators
from service.generators.coverage import diagonal, draw, shuffled
from service.generators.phrasebook import phrasebook
from service.generators.selection import Cell, SelectionOptions, cells, size


class MatrixOptions(SelectionOptions):
    """What part of the matrix to cover, and how densely."""


@generators.register("matrix")
class Matrix:
    """Every category in every style with every persuasion technique in every language, equally often, none twice.

    The coverage is that of ASTRAL (arXiv 2501.17132); the texts are ours. See docs/generation.md.
    """

    Options: ClassVar[type[Schema]] = MatrixOptions

    def __init__(self, options: Mapping[str, Any], _tools: Tools) -> None:
        self.effort = Effort()
        self._options = options

    @staticmethod
    def size(options: Mapping[str, Any]) -> int:
        """The number of cells times the tests for each, or the limit if that is less."""
        return size(options)

    async def cases(self, held: Sequence[Case]) -> AsyncIterator[Case]:
        """The cases in order, from behind those that are held."""
        for case in sequence(self._options, len(held)):
            yield case

    async def close(self) -> None:
        """Nothing to release."""


def sequence(options: Mapping[str, Any], first: int = 0) -> Iterator[Case]:
    """The cases from the `first` on, one of every cell before a second of any, so that every beginning is even."""
    prompts = [_Prompts(options["seed"], cell) for cell in cells(options)]
    for index in range(first, size(options)):
        number, place = divmod(index, len(prompts))
        yield Case(index, prompts[place][number], *prompts[place].cell)


class _Prompts:
    """The prompts of one cell, by number: every combination of intent, claim and wording once, in a seeded order.

    Neighbouring numbers differ in all three, and no intent comes a second time before all have come once.
    """

    def __init__(self, seed: int, cell: Cell) -> None:
        self.cell = cell
        self._book = phrasebook(cell.language)
        # Without the language, so that English suites are what they were before there were others.
        self._seed = (seed, cell.category, cell.style, cell.technique)

    @cached_property
    def _intents(self) -> list[int]:
        return shuffled(range(len(self._book.subjects[self.cell.category].intents)), *self._seed)

    def __getitem__(self, number: int) -> str:
        """The prompt of that number, which must be less than the number of combinations."""
        category, style, technique, _ = self.cell
        lap, place = divmod(number, len(self._intents))
        # Within a lap every intent differs. From lap to lap, each intent goes one step further along its diagonal.
        step = draw(0, *self._seed) + place + lap
        claim, wording = diagonal(step, len(self._book.claims[technique]), len(self._book.wordings[style]))
        return self._book.prompt(category, style, technique, intent=self._intents[place], claim=claim, wording=wording)
