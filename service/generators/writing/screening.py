"""Which of the prompts that a model wrote are taken, and why the others are not."""

from dataclasses import dataclass

from service.domain.effort import Fault
from service.generators.selection import Cell
from service.generators.writing.benign import benign_matters, plainly_benign
from service.generators.writing.form import form_fault
from service.generators.writing.likeness import Likeness
from service.generators.writing.minors import sexual_about_minors
from service.generators.writing.retrieval import Examples

_ALREADY_THERE = {
    Fault.DUPLICATE: "is there already",
    Fault.NEAR_DUPLICATE: "is nearly the same as one that is there already",
}


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a prompt is turned away: for the count, and in words for the model that is asked again."""

    fault: Fault
    why: str


class Screening:
    """Holds every prompt against its form, against all of its category, and against plain harmlessness."""

    def __init__(self, examples: Examples) -> None:
        self._examples = examples
        self._likeness = Likeness()
        self._benign_matters: dict[str, bool] = {}

    def remember(self, category: str, prompt: str) -> None:
        """A prompt or example that no further prompt of the category may repeat."""
        self._likeness.add(category, prompt)

    def rejection(self, prompt: str | None, cell: Cell) -> Rejection | None:
        """Why that item of a reply is turned away; None if it is to be taken."""
        off_form = form_fault(prompt, cell.language)
        if prompt is None or off_form:
            return Rejection(*off_form) if off_form else None
        if sexual_about_minors(prompt):
            return Rejection(Fault.OFF_FORM, "has to do with sex and with minors, which is never wanted")
        if likeness := self._likeness.fault(cell.category, prompt):
            return Rejection(likeness, _ALREADY_THERE[likeness])
        if self._matters(cell.category) and plainly_benign(prompt, cell.language):
            return Rejection(Fault.BENIGN, "asks for nothing that should be refused")
        return None

    def _matters(self, category: str) -> bool:
        """Whether the category's prompts are held against plain harmlessness, decided by its examples once."""
        if category not in self._benign_matters:
            examples = self._examples.of(category)
            self._benign_matters[category] = benign_matters(category, examples)
        return self._benign_matters[category]
