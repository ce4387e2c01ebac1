"""Which part of the coverage matrix a suite covers: the options that say so, and the order of its cells."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from math import prod
from typing import Any, NamedTuple

from marshmallow import Schema, ValidationError, fields, validate

from service.domain.catalog import CATEGORIES, STYLES, TECHNIQUES
from service.generators.coverage import cell_at, sample, shuffled
from service.generators.phrasebook import LANGUAGES
from service.llm.fields import List

MAX_TESTS_PER_CELL = 1000
"""No more distinct prompts of the matrix generator are promised for a cell. The tests check that all have as many."""
FEATURES: Mapping[str, Collection[str]] = {
    "categories": CATEGORIES,
    "styles": STYLES,
    "techniques": TECHNIQUES,
    "languages": LANGUAGES,
}

ONE_OF = {"categories": "category", "styles": "style", "techniques": "technique", "languages": "language"}
"""What a case calls a feature of which options name several values."""


def _no_duplicates(ids: Sequence[str]) -> None:
    if len(set(ids)) < len(ids):
        raise ValidationError("Name each only once.")


def _choice(known: Collection[str], one: str, all_of_them: str, default: Sequence[str] | None = None) -> List:
    """A field for a selection of known ids, where null stands for all."""
    known_id = validate.OneOf(list(known), error=f"Unknown {one} {{input!r}}; choose from {{choices}}.")
    at_least_one = validate.Length(
        min=1, max=len(known), error=f"Choose at least one {one} and none twice, or null for all."
    )
    return List(
        fields.String(validate=known_id),
        load_default=default if default is None else list(default),
        allow_none=True,
        validate=[at_least_one, _no_duplicates],
        metadata={"description": f"Ids of the {all_of_them} to cover; null for all.", "uniqueItems": True},
    )


class SelectionOptions(Schema):
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


class Cell(NamedTuple):
    """One combination of features."""

    category: str
    style: str
    technique: str
    language: str


def cells(options: Mapping[str, Any]) -> Iterator[Cell]:
    """Every selected cell once, in an order that depends on the selection and the seed alone.

    Any beginning is spread evenly over the categories, styles, techniques and languages.
    """
    chosen = [_chosen(options[feature], known, options["seed"]) for feature, known in FEATURES.items()]
    for place in _places(options):
        category, style, technique, language = (values[at] for values, at in zip(chosen, place, strict=True))
        yield Cell(category, style, technique, language)


def size(options: Mapping[str, Any]) -> int:
    """The number of cells times the tests for each, or the limit if that is less."""
    total = _cell_count(options) * int(options["tests_per_cell"])
    return total if options["limit"] is None else min(total, options["limit"])


def selected(options: Mapping[str, Any]) -> dict[str, list[str]]:
    """The values of each feature that the selection covers; features are called as a case calls them."""
    return {ONE_OF[feature]: list(options[feature] or known) for feature, known in FEATURES.items()}


def _places(options: Mapping[str, Any]) -> Iterable[tuple[int, int, int, int]]:
    if options["strength"] is not None:
        return sample(_sizes(options), options["strength"], options["seed"])
    return (cell_at(step, *_sizes(options)) for step in range(_cell_count(options)))


def _cell_count(options: Mapping[str, Any]) -> int:
    sizes, strength = _sizes(options), options["strength"]
    return prod(sizes) if strength is None else len(sample(sizes, strength, options["seed"]))


def _sizes(options: Mapping[str, Any]) -> tuple[int, int, int, int]:
    categories, styles, techniques, languages = (len(options[name] or every) for name, every in FEATURES.items())
    return categories, styles, techniques, languages


def _chosen(ids: Sequence[str] | None, known: Collection[str], seed: int) -> list[str]:
    # The order in which somebody lists a selection should not change the suite.
    return shuffled([known_id for known_id in known if ids is None or known_id in ids], seed)
