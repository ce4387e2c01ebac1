"""Example requests of a tenant's own: what shows a model that writes a suite which kind of request is wanted."""

from dataclasses import dataclass
from datetime import datetime

MAX_TEXT = 2_000
"""Characters: as many as a prompt of the generator may have. A call shows up to 20 of them."""
MOST_OF_A_CATEGORY = 1_000
"""So many of a category, the newest, are given to a generator to choose from."""


@dataclass(frozen=True, slots=True)
class NewExample:
    """An example request to keep: given as such, or the prompt of a job's result."""

    category: str
    text: str
    job_id: str | None = None
    result_id: str | None = None


@dataclass(frozen=True, slots=True)
class Example:
    """A kept example request."""

    id: str
    tenant: str
    category: str
    text: str
    job_id: str | None
    """The job whose result it was, which may be gone by now; None if it was uploaded."""
    result_id: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of the examples given."""

    added: int
    known: int
    """There already, or given twice."""
    skipped: int = 0
    """Prompts of results that make no example: without a category, too long, or with no letter in them."""

    def __add__(self, other: "Taken") -> "Taken":
        return Taken(self.added + other.added, self.known + other.known, self.skipped + other.skipped)
