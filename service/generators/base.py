"""What a generator is."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from marshmallow import Schema

from service.domain.cases import Case
from service.registry import Registry


class Generator(Protocol):
    """Makes the cases of a suite. Built from its validated options; the same options give the same cases."""

    @property
    def Options(self) -> type[Schema]:  # noqa: N802 - a nested class in the plug-ins
        """The schema of its options, a class nested in the plug-in."""
        ...

    def __init__(self, options: Mapping[str, Any]) -> None: ...

    def size(self) -> int:
        """How many cases `cases` will yield."""
        ...

    def cases(self) -> Iterator[Case]:
        """The cases in order, `index` counting from 0."""
        ...


generators: Registry[Generator] = Registry("generators")
