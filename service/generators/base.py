"""What a generator is."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from marshmallow import Schema

from service.domain.cases import Case
from service.domain.effort import Effort
from service.llm.limits import Limiter
from service.registry import Registry


@dataclass(frozen=True, slots=True)
class Tools:
    """What a generator may use beside its options; one that computes its cases needs none of it."""

    limiter: Limiter
    """For the calls to its model."""
    search_url: str
    """Where the search service begins."""
    examples: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Example requests of the tenant's own, by category."""


class Generator(Protocol):
    """Makes the cases of a suite. Built in the worker from its validated options, secrets included."""

    effort: Effort
    """What making the cases has cost so far, and what was turned away."""

    @property
    def Options(self) -> type[Schema]:  # noqa: N802 - a nested class in the plug-ins
        """The schema of its options, a class nested in the plug-in."""
        ...

    @staticmethod
    def size(options: Mapping[str, Any]) -> int:
        """How many cases the suite is to have; known before any is made."""
        ...

    def __init__(self, options: Mapping[str, Any], tools: Tools) -> None: ...

    def cases(self, held: Sequence[Case]) -> AsyncIterator[Case]:
        """The cases that are not `held` from an earlier, interrupted attempt, in any order.

        A case's `index`, from 0 to size - 1, is its place in the suite; a place that can't be filled stays empty.

        Raises:
            GenerationError: no call can succeed until somebody mends the options or the account.
        """
        ...

    async def close(self) -> None:
        """Release connections."""
        ...


generators: Registry[Generator] = Registry("generators")
