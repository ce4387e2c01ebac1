"""Does an answer refuse? Read from its wording, with the standard library only.

`detect` gives a Reading; `is_refusal` tells the disposition `refused` from `answered`. How good they are is measured:
see docs/judges.md.
"""

from service.domain.refusals.content import Evidence
from service.domain.refusals.detector import detect, examine, is_refusal, refuses_by_field
from service.domain.refusals.examination import Examination
from service.domain.refusals.parts import Part
from service.domain.refusals.reading import Reading, Stance

__all__ = [
    "Evidence",
    "Examination",
    "Part",
    "Reading",
    "Stance",
    "detect",
    "examine",
    "is_refusal",
    "refuses_by_field",
]
