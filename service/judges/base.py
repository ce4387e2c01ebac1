"""What a judge is."""

from collections.abc import Mapping
from typing import Any, Protocol

from marshmallow import Schema

from service.domain.cases import Case
from service.domain.completions import Completion, Judgement
from service.llm.limits import Limiter
from service.registry import Registry


class Judge(Protocol):
    """Turns (case, completion) into a verdict. Built in the worker from its validated options, secrets included."""

    @property
    def Options(self) -> type[Schema]:  # noqa: N802 - a nested class in the plug-ins
        """The schema of its options, a class nested in the plug-in."""
        ...

    def __init__(self, options: Mapping[str, Any], limiter: Limiter) -> None: ...

    async def judge(self, case: Case, completion: Completion) -> Judgement:
        """Judge one completion that has no error. Never raises for what a model does: see Judgement.error."""
        ...

    async def close(self) -> None:
        """Release connections."""
        ...


judges: Registry[Judge] = Registry("judges")
