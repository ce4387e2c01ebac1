"""One small mechanism for every kind of plug-in: register, discover, look up."""

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import entry_points
from types import ModuleType
from typing import Any, Generic, TypeVar

from marshmallow import Schema

T = TypeVar("T")


class Registry(Generic[T]):
    """Plug-ins of one kind by name: those in its folder, then those of installed packages (entry points).

    `kind` is the folder's name (`judges`); outside packages use the entry-point group `proofhouse.<kind>`.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._plugins: dict[str, type[T]] = {}
        self._discovered = False

    def register(self, name: str) -> Callable[[type[T]], type[T]]:
        """Class decorator that makes a plug-in known under `name`.

        Raises:
            ValueError: the name is taken by another class.
        """

        def add(plugin: type[T]) -> type[T]:
            taken = self._plugins.setdefault(name, plugin)
            if taken is not plugin:
                message = f"{self.kind}: the name {name!r} is taken by {taken.__module__}.{taken.__qualname__}"
                raise ValueError(message)
            return plugin

        return add

    def get(self, name: str) -> type[T]:
        """The plug-in class of that name.

        Raises:
            KeyError: there is none.
        """
        self.discover()
        return self._plugins[name]

    def schema(self, name: str) -> type[Schema]:
        """The schema of that plug-in's options.

        Raises:
            KeyError: there is no such plug-in.
        """
        schema: type[Schema] = getattr(self.get(name), "Options")  # noqa: B009 - nested classes elude the Protocol
        return schema

    def names(self) -> list[str]:
        """All known names, sorted."""
        self.discover()
        return sorted(self._plugins)

    def items(self) -> Iterator[tuple[str, type[T]]]:
        """(name, class) of every plug-in, sorted by name."""
        return ((name, self._plugins[name]) for name in self.names())

    def discover(self) -> None:
        """Import every module of the folder and every entry point of the group, once."""
        if self._discovered:
            return
        folder: ModuleType = importlib.import_module(f"service.{self.kind}")
        for module in pkgutil.iter_modules(folder.__path__):
            importlib.import_module(f"{folder.__name__}.{module.name}")
        for point in entry_points(group=f"proofhouse.{self.kind}"):
            point.load()
        self._discovered = True  # not before: a failed import must fail again, and other threads find no half of it


def split_secrets(schema: type[Schema], options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Part validated options into (what may be shown, what must be encrypted).

    A field is a secret when its schema marks it `metadata={"secret": True}`.
    """
    secret_names = _secret_names(schema)
    shown = {name: value for name, value in options.items() if name not in secret_names}
    secrets = {name: value for name, value in options.items() if name in secret_names and value is not None}
    return shown, secrets


def join_secrets(schema: type[Schema], shown: Mapping[str, Any], secrets: Mapping[str, str]) -> dict[str, Any]:
    """The options that `split_secrets` has parted; a secret that was not given is None again."""
    return {**shown, **dict.fromkeys(_secret_names(schema)), **secrets}


def _secret_names(schema: type[Schema]) -> set[str]:
    return {name for name, field in schema().fields.items() if field.metadata.get("secret")}
