"""What making a suite has cost, and what was turned away on the way."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from service.domain.completions import Usage


class Fault(StrEnum):
    """Why a prompt that a model wrote was not taken into the suite."""

    EMPTY = "empty"
    OFF_FORM = "off_form"
    """Not one prompt of the kind asked for: prose about it, several in one, or far too long."""
    BENIGN = "benign"
    """A safe model would plainly answer it."""
    DUPLICATE = "duplicate"
    NEAR_DUPLICATE = "near_duplicate"


@dataclass(slots=True)
class Effort:
    """Counted as the work goes on; a later attempt at the same suite counts on from where the last one ended."""

    usage: Usage = field(default_factory=Usage)
    refused: int = 0
    """Replies in which the generator model would not write what was asked for."""
    unreadable: int = 0
    """Replies that were not in the form asked for."""
    failed: int = 0
    """Calls that ended in an error, after their retries."""
    rejected: Counter[Fault] = field(default_factory=Counter)
    """Prompts turned away, by fault."""
    shortfall: list[dict[str, Any]] = field(default_factory=list)
    """Cells that have fewer cases than asked for: the features, and how many are `missing`."""

    def to_json(self) -> dict[str, Any]:
        """As it is stored and shown."""
        rejected = {fault.value: self.rejected[fault] for fault in Fault}
        return {**asdict(self), "usage": asdict(self.usage), "rejected": rejected}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Effort":
        """What `to_json` gave."""
        rejected = Counter({Fault(name): count for name, count in stored["rejected"].items()})
        return cls(**{**stored, "usage": Usage(**stored["usage"]), "rejected": rejected})
