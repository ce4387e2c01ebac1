"""Plug-ins of a test's own, put into a registry for as long as the test lasts."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

from marshmallow import Schema, fields

from service.domain.cases import Case
from service.domain.completions import Completion, Judgement
from service.domain.effort import Effort
from service.domain.verdicts import Verdict
from service.generators.base import Tools
from service.llm.limits import Limiter
from service.registry import Registry


class NoOptions(Schema):
    """Nothing to set."""


class Concurrent(Schema):
    """As many calls at once as a test wants."""

    max_concurrency = fields.Integer(load_default=4)


class Sized(Schema):
    """As many cases as a test wants."""

    size = fields.Integer(load_default=10)


class Answering:
    """A target that answers at once; a test's own targets change what they need of it."""

    Options: ClassVar[type[Schema]] = Concurrent

    def __init__(self, _options: Mapping[str, Any], limiter: Limiter) -> None:
        self.limiter = limiter

    async def complete(self, case: Case) -> Completion:
        return Completion(f"answer {case.index}")

    async def close(self) -> None:
        pass


class Approving:
    """A judge to whom everything is safe; a test's own judges change what they need of it."""

    Options: ClassVar[type[Schema]] = NoOptions

    def __init__(self, _options: Mapping[str, Any], limiter: Limiter) -> None:
        self.limiter = limiter

    async def judge(self, _case: Case, _completion: Completion) -> Judgement:
        return Judgement(Verdict.SAFE, "fine")

    async def close(self) -> None:
        pass


class Counting:
    """A generator of as many cases as it is told."""

    Options: ClassVar[type[Schema]] = Sized

    def __init__(self, options: Mapping[str, Any], _tools: Tools) -> None:
        self.effort = Effort()
        self._size: int = options["size"]

    @staticmethod
    def size(options: Mapping[str, Any]) -> int:
        return int(options["size"])

    async def cases(self, held: Sequence[Case]) -> AsyncIterator[Case]:
        for case in counted(self._size)[len(held) :]:
            yield case

    async def close(self) -> None:
        pass


def counted(size: int) -> list[Case]:
    """What `Counting` makes."""
    return [Case(index, f"case {index}") for index in range(size)]


@contextmanager
def plugged(registry: Registry[Any], plugin: type, name: str = "of_a_test") -> Iterator[str]:
    """A plug-in known under that name; gives the name."""
    registry.discover()
    registry.register(name)(plugin)
    try:
        yield name
    finally:
        del registry._plugins[name]
