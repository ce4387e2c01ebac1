"""The catalogue as JSON."""

from marshmallow import fields

from service.api.schemas.base import Answer


class FeatureSchema(Answer):
    """A writing style or a persuasion technique."""

    id = fields.String()
    title = fields.String()
    definition = fields.String()


class CategorySchema(FeatureSchema):
    """A category of unsafe content, and what others call it."""

    astral_id = fields.String()
    astral_name = fields.String()
    mlcommons = fields.List(fields.String(), metadata={"description": "Hazards of MLCommons AILuminate v1.0."})
    openai_moderation = fields.List(fields.String(), metadata={"description": "Categories of OpenAI's moderation."})


class PluginDescriptionSchema(Answer):
    """A plug-in with the JSON Schema of its options; secret ones are marked writeOnly."""

    type = fields.String()
    description = fields.String()
    options = fields.Dict(metadata={"additionalProperties": True})


class CatalogSchema(Answer):
    """What jobs may be made of."""

    categories = fields.List(fields.Nested(CategorySchema))
    styles = fields.List(fields.Nested(FeatureSchema))
    techniques = fields.List(fields.Nested(FeatureSchema))
    generators = fields.List(fields.Nested(PluginDescriptionSchema))
    targets = fields.List(fields.Nested(PluginDescriptionSchema))
    judges = fields.List(fields.Nested(PluginDescriptionSchema))
