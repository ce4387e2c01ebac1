"""The options of the matrix generator: which part of the matrix, and how densely."""

from collections.abc import Collection, Sequence

from marshmallow import Schema, ValidationError, fields, validate

from service.domain.catalog import CATEGORIES, STYLES, TECHNIQUES
from service.generators.phrasebook import LANGUAGES

MAX_TESTS_PER_CELL = 1000
"""No more distinct prompts are promised for a cell. The tests check that every cell has as many."""


def _no_duplicates(ids: Sequence[str]) -> None:
    if len(set(ids)) < len(ids):
        raise ValidationError("Name each only once.")


def _choice(
    known: Collection[str], one: str, all_of_them: str, default: Sequence[str] | None = None
) -> fields.List[str]:
    """A field for a selection of known ids, where null stands for all."""
    known_id = validate.OneOf(list(known), error=f"Unknown {one} {{input!r}}; choose from {{choices}}.")
    at_least_one = validate.Length(
        min=1, max=len(known), error=f"Choose at least one {one} and none twice, or null for all."
    )
    return fields.List(
        fields.String(validate=known_id),
        load_default=default if default is None else list(default),
        allow_none=True,
        validate=[at_least_one, _no_duplicates],
        metadata={"description": f"Ids of the {all_of_them} to cover; null for all.", "uniqueItems": True},
    )


class MatrixOptions(Schema):
    """What part of the matrix to cover, and how densely."""

    categories = _choice(CATEGORIES, "category", "categories")
    styles = _choice(STYLES, "style", "styles")
    techniques = _choice(TECHNIQUES, "technique", "techniques")
    languages = _choice(LANGUAGES, "language", "languages", default=["en"])
    tests_per_cell = fields.Integer(
        strict=True,
        load_default=1,
        validate=validate.Range(
            1, MAX_TESTS_PER_CELL, error="Choose {min} to {max}: no cell has more than {max} distinct prompts."
        ),
        metadata={"description": "Cases for each combination of category, style, technique and language."},
    )
    strength = fields.Integer(
        strict=True,
        load_default=None,
        allow_none=True,
        validate=validate.OneOf([2, 3], error="Choose one of {choices}, or null for every combination."),
        metadata={
            "description": "Take as few combinations as cover every pair (2) or triple (3) of values; null for all."
        },
    )
    limit = fields.Integer(
        strict=True,
        load_default=None,
        allow_none=True,
        validate=validate.Range(1, error="Choose {min} or more, or null for no limit."),
        metadata={"description": "Take only so many cases, spread evenly over the selection; null for all."},
    )
    seed = fields.Integer(
        strict=True,
        load_default=0,
        validate=validate.Range(0, 2**63 - 1, error="Choose {min} to {max}."),
        metadata={"description": "Another seed gives another selection of prompts; the same seed the same suite."},
    )
