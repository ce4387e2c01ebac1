"""A case: one test input of a suite."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


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
    provenance: Mapping[str, Any] | None = field(default=None, compare=False, repr=False)
    """How a model came to write it: for people who check the suite; not part of what it tests."""
