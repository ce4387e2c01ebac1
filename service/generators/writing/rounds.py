"""Fills the places of a suite: ask for what a cell lacks, screen, take, and ask again for what is still missing."""

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from service.domain.cases import Case
from service.domain.effort import Effort
from service.generators.selection import Cell
from service.generators.writing import templates
from service.generators.writing.asking import Asking, NoPromptsError
from service.generators.writing.briefing import Library, Material, messages
from service.generators.writing.screening import Screening

FRUITLESS_CALLS = 4
"""A lot is given up after so many calls of which no prompt could be taken; its places stay empty."""
TAKEN_SHOWN = 20
"""So many of the cell's prompts a call is shown, the latest."""
TURNED_AWAY_SHOWN = 10
SHOWN_CHARACTERS = 200
"""Of a prompt that is shown again, its beginning is enough."""


@dataclass(frozen=True, slots=True)
class Lot:
    """Places of one cell that the same calls are to fill: lot `number` of the cell's `lots`."""

    cell: Cell
    places: Sequence[int]
    number: int
    lots: int


def lots(cells: Sequence[Cell], missing: Sequence[int], most: int) -> list[Lot]:
    """The missing places of a suite, whose order goes round through the cells, in lots of at most so many.

    Every cell's first lot comes before any cell's second.
    """
    by_cell: dict[int, list[int]] = defaultdict(list)
    for place in missing:
        by_cell[place % len(cells)].append(place)
    parted = [
        Lot(cells[cell], places[start : start + most], start // most, -(-len(places) // most))
        for cell, places in by_cell.items()
        for start in range(0, len(places), most)
    ]
    return sorted(parted, key=lambda lot: (lot.number, lot.places[0]))


@dataclass(frozen=True, slots=True)
class _Round:
    """What one call brought."""

    taken: list[str]
    problems: list[str]
    """What to tell the model if it is asked again."""
    provenance: Mapping[str, Any]


class Writer:
    """Has the model write the prompts of a suite."""

    def __init__(
        self, asking: Asking, library: Library, screening: Screening, effort: Effort, origin: Mapping[str, Any]
    ) -> None:
        self._asking = asking
        self._library = library
        self._screening = screening
        self._effort = effort
        self._origin = origin
        self._taken: dict[Cell, list[str]] = defaultdict(list)

    def remember(self, cell: Cell, prompt: str) -> None:
        """A prompt that the suite has: none may repeat it."""
        self._screening.remember(cell.category, prompt)
        self._taken[cell].append(prompt)

    async def fill(self, lot: Lot) -> AsyncIterator[Case]:
        """Cases for the places of a lot, as they come, until none is missing or the model has nothing more to give.

        Raises:
            GenerationError: no call can succeed.
        """
        missing, problems, fruitless = list(lot.places), list[str](), 0
        for call in count(lot.number, lot.lots):
            brought = await self._round(lot.cell, call, len(missing), problems)
            for prompt in brought.taken:
                yield _case(missing.pop(0), prompt, lot.cell, brought.provenance)
            problems = brought.problems
            fruitless += not brought.taken
            if not missing or fruitless == FRUITLESS_CALLS:
                return

    async def _round(self, cell: Cell, call: int, wanted: int, problems: Sequence[str]) -> _Round:
        material = await self._library.material(cell, call)
        self._remember_shown(cell, material)
        taken = [prompt[:SHOWN_CHARACTERS] for prompt in self._taken[cell][-TAKEN_SHOWN:]]
        provenance = {**self._origin, **material.record()}
        try:
            written = await self._asking.prompts(messages(cell, wanted, material, taken, problems))
        except NoPromptsError as error:
            return _Round([], [str(error)] if str(error) else [], provenance)
        return _Round(*self._screened(written, cell, wanted), provenance)

    def _screened(self, written: Sequence[str | None], cell: Cell, wanted: int) -> tuple[list[str], list[str]]:
        """The prompts that are taken, at most as many as were asked for, and what to say about the others."""
        taken: list[str] = []
        turned_away: list[str] = []
        for prompt in written:
            if len(taken) == wanted:
                break
            rejection = self._screening.rejection(prompt, cell)
            if rejection:
                self._effort.rejected[rejection.fault] += 1
                turned_away.append(f'"{(prompt or "")[:SHOWN_CHARACTERS]}" {rejection.why}')
            elif prompt is not None:
                self.remember(cell, prompt)
                taken.append(prompt)
        listed = templates.listed(turned_away[:TURNED_AWAY_SHOWN])
        return taken, [templates.TURNED_AWAY.format(listed=listed)] if turned_away else []

    def _remember_shown(self, cell: Cell, material: Material) -> None:
        """What the model is shown it must not give back."""
        for text in (*material.examples, *material.few_shot):
            self._screening.remember(cell.category, text)


def _case(place: int, prompt: str, cell: Cell, provenance: Mapping[str, Any]) -> Case:
    return Case(place, prompt, cell.category, cell.style, cell.technique, cell.language, provenance=provenance)
