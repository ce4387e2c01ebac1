"""From marshmallow schemas to JSON Schema: what apispec leaves out."""

from typing import Any

import yaml
from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from marshmallow import RAISE, Schema, fields

from service.api.schemas.examples import FORMS, NewExamplesSchema
from service.api.schemas.plugins import PluginField, first_line, variant
from service.api.schemas.specs import SuiteField, TargetField
from service.api.schemas.suites import NewSuiteSchema, new_suite_forms
from service.generators.base import generators
from service.registry import Registry

OPENAPI_VERSION = "3.1.0"
Json = dict[str, Any]


class Converter(OpenAPIConverter):
    """Describes our own fields too, and every schema by the first line of its docstring."""

    def init_attribute_functions(self) -> None:
        """Add what describes our fields to what apispec knows."""
        super().init_attribute_functions()  # type: ignore[no-untyped-call] # apispec's
        self.attribute_functions += [self.plugin2union, self.suite2union, self.table2limits, self.secret2write_only]

    def schema2jsonschema(self, schema: Schema) -> Json:
        """Describe a schema; it allows no other fields unless it says so."""
        if isinstance(schema, NewSuiteSchema | NewExamplesSchema):
            forms = new_suite_forms() if isinstance(schema, NewSuiteSchema) else FORMS
            references = [{"$ref": self._reference(form)} for form in forms]
            return {"description": first_line(type(schema)), "oneOf": references}
        fields_described: Json = super().schema2jsonschema(schema)  # type: ignore[no-untyped-call] # apispec's
        described = {"description": first_line(type(schema)), **fields_described}
        if schema.unknown == RAISE:
            described["additionalProperties"] = False
        return described

    def plugin2union(self, field: fields.Field[Any], **_: Any) -> Json:
        """One of the plug-ins, told apart by the field that names them."""
        if not isinstance(field, PluginField):
            return {}
        mapping = self._variants(field.registry, field.discriminator)
        if isinstance(field, TargetField):  # the other form has no field in common to tell them apart by
            references = [*mapping.values(), self._reference(field.form)]
            return {"oneOf": [{"$ref": reference} for reference in references]}
        return {
            "oneOf": [{"$ref": reference} for reference in mapping.values()],
            "discriminator": {"propertyName": field.discriminator, "mapping": mapping},
        }

    def suite2union(self, field: fields.Field[Any], **_: Any) -> Json:
        """One of the generators or one of the other forms of a suite."""
        if not isinstance(field, SuiteField):
            return {}
        generated = [{"$ref": reference} for reference in self._variants(generators, "generator").values()]
        given = [self._reference(form) for form in field.forms.values()]
        return {"oneOf": [*generated, *({"$ref": reference} for reference in given)]}

    def table2limits(self, field: fields.Field[Any], ret: Json, **_: Any) -> Json:
        """What an object's names look like and how many there may be."""
        if not isinstance(field, fields.Dict):
            return {}
        limits = {"maxProperties": ret.pop("maxLength")} if "maxLength" in ret else {}
        names = self.field2property(field.key_field) if field.key_field else {}
        names.pop("type", None)
        return {**limits, "propertyNames": names} if names else limits

    def secret2write_only(self, field: fields.Field[Any], **_: Any) -> Json:
        """A secret is taken and never given."""
        return {"writeOnly": True, "format": "password"} if field.metadata.get("secret") else {}

    def _variants(self, registry: Registry[Any], discriminator: str) -> dict[str, str]:
        return {name: self._reference(variant(registry, discriminator, name)) for name in registry.names()}

    def _reference(self, schema: type[Schema]) -> str:
        return str(self.resolve_nested_schema(schema())["$ref"])  # type: ignore[no-untyped-call] # apispec's


class Describer(MarshmallowPlugin):
    """The apispec plug-in that uses our converter."""

    Converter = Converter


def options_schema(schema: type[Schema]) -> Json:
    """The JSON Schema of a plug-in's options, complete in itself."""
    plugin = Describer(schema_name_resolver=lambda _: None)  # type: ignore[arg-type, return-value] # None inlines
    APISpec("options", "1", OPENAPI_VERSION, plugins=[plugin])
    assert plugin.converter is not None  # noqa: S101 - made by APISpec
    described: Json = plugin.converter.schema2jsonschema(schema())
    return described


def to_yaml(description: Json) -> str:
    """YAML in the order in which things were described, without anchors."""
    return yaml.dump(description, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the signature is PyYAML's
        return True
