"""Does an answer refuse? Read from its wording, with the standard library only.

`detect` gives a Reading; `is_refusal` tells the disposition `refused` from `answered`. How good they are is measured:
see docs/judges.md.
"""

from service.domain.refusals.content import Evidence, Part
from service.domain.refusals.detector import SHORT, Examination, detect, examine, is_refusal
from service.domain.refusals.reading import Reading, Stance

__all__ = ["SHORT", "Evidence", "Examination", "Part", "Reading", "Stance", "detect", "examine", "is_refusal"]
