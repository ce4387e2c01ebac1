"""A case: one test input of a suite."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Case:
    """One test input and the cell of the coverage matrix it stands in.

    `index` counts from 0 within its suite. A feature is None when an uploaded case does not name it.
    """

    index: int
    prompt: str
    category: str | None = None
    style: str | None = None
    technique: str | None = None
    language: str = "en"
    attack: str | None = None
