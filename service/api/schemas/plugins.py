"""Plug-ins in a request: `{"type": name, …options}`, checked by the plug-in's own schema."""

from collections.abc import Mapping
from functools import cache
from inspect import getdoc
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from service.domain.specs import PluginSpec
from service.registry import Registry, split_secrets


class PluginField(fields.Field[PluginSpec]):
    """One plug-in of a registry with its options; `discriminator` is the field that names it."""

    def __init__(self, registry: Registry[Any], discriminator: str = "type", **options: Any) -> None:
        super().__init__(**options)
        self.registry = registry
        self.discriminator = discriminator

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> PluginSpec:
        del attr, data
        return load_plugin(self.registry, self.discriminator, value)


def load_plugin(registry: Registry[Any], discriminator: str, value: Any) -> PluginSpec:
    """Check the options; what the plug-in marks as secret is set apart.

    Raises:
        ValidationError: there is no such plug-in, or its options are wrong.
    """
    if not isinstance(value, Mapping):
        raise ValidationError(f"Must be an object with the field {discriminator}.")
    name = value.get(discriminator)
    known = ", ".join(registry.names())
    if isinstance(name, Mapping):
        raise ValidationError({discriminator: [f"Must be a name, one of: {known}. Options stand beside it."]})
    if name not in registry.names():
        raise ValidationError({discriminator: [f"Must be one of: {known}."]})
    schema = variant(registry, discriminator, name)
    loaded: dict[str, Any] = dict(schema().load(value))
    del loaded[discriminator]
    return PluginSpec(name, *split_secrets(schema, loaded))


@cache
def variant(registry: Registry[Any], discriminator: str, name: str) -> type[Schema]:
    """The schema of one plug-in's options with the field that names the plug-in."""
    options = registry.schema(name)
    is_name = fields.String(required=True, validate=validate.Equal(name))
    title = "".join(part.title() for part in name.split("_")) + registry.kind.removesuffix("s").title()
    return type(title, (options,), {"__doc__": first_line(registry.get(name)), discriminator: is_name})


def first_line(documented: type) -> str:
    """The first line of a class's docstring."""
    return (getdoc(documented) or "").split("\n", 1)[0]
