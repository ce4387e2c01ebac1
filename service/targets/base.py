"""What a target kind is."""

from collections.abc import Mapping
from typing import Any, Protocol

from marshmallow import Schema

from service.domain.cases import Case
from service.domain.completions import Completion
from service.llm.limits import Limiter
from service.registry import Registry


class Target(Protocol):
    """The model or endpoint under test. Built in the worker from its validated options, secrets included."""

    @property
    def Options(self) -> type[Schema]:  # noqa: N802 - a nested class in the plug-ins
        """The schema of its options, a class nested in the plug-in."""
        ...

    def __init__(self, options: Mapping[str, Any], limiter: Limiter) -> None: ...

    async def complete(self, case: Case) -> Completion:
        """Ask the target once, retries included. Never raises for what the target does: see Completion.error."""
        ...

    async def close(self) -> None:
        """Release connections."""
        ...


targets: Registry[Target] = Registry("targets")
