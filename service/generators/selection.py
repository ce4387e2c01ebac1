"""Which part of the coverage matrix a suite covers: the options that say so, and the order of its places."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import lcm
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from service.domain.catalog import CATEGORIES, STYLES, TECHNIQUES
from service.generators.coverage import cell_at, diagonal, shuffled


def _no_duplicates(ids: Sequence[str]) -> None:
    if len(set(ids)) < len(ids):
        raise ValidationError("Name each only once.")


def choice(known: Mapping[str, object], one: str, all_of_them: str) -> fields.List[str]:
    """A field for a selection of known ids, where null stands for all."""
    return some_of(known, one, f"Ids of the {all_of_them} to cover; null for all.", load_default=None, allow_none=True)


def some_of(known: Mapping[str, object], one: str, description: str, **options: Any) -> fields.List[str]:
    """A field for a selection of known ids."""
    known_id = validate.OneOf(list(known), error=f"Unknown {one} {{input!r}}; choose from {{choices}}.")
    or_null = ", or null for all" if options.get("allow_none") else ""
    at_least_one = validate.Length(min=1, max=len(known), error=f"Choose at least one {one} and none twice{or_null}.")
    return fields.List(
        fields.String(validate=known_id),
        validate=[at_least_one, _no_duplicates],
        metadata={"description": description, "uniqueItems": True},
        **options,
    )


class SelectionOptions(Schema):
    """What part of the matrix to cover."""

    categories = choice(CATEGORIES, "category", "categories")
    styles = choice(STYLES, "style", "styles")
    techniques = choice(TECHNIQUES, "technique", "techniques")
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


@dataclass(frozen=True, slots=True)
class Cell:
    """One combination of features, in one language."""

    category: str
    style: str
    technique: str
    language: str


def cells(options: Mapping[str, Any]) -> Iterator[Cell]:
    """Every selected cell once, in an order that depends on the selection and the seed alone.

    Any beginning is spread evenly over the categories, styles, techniques and languages.
    """
    seed, languages = options["seed"], sorted(options["languages"])
    categories = _selected(options["categories"], CATEGORIES, seed)
    styles = _selected(options["styles"], STYLES, seed)
    techniques = _selected(options["techniques"], TECHNIQUES, seed)
    combinations = len(categories) * len(styles) * len(techniques)
    for step in range(combinations * len(languages)):
        combination, language = diagonal(step, combinations, len(languages))
        category, style, technique = cell_at(combination, len(categories), len(styles), len(techniques))
        # Where languages keep step with the categories, a short beginning would show each category in one of them only.
        lag = combination // lcm(len(categories), len(languages))
        chosen = languages[(language + lag) % len(languages)]
        yield Cell(categories[category], styles[style], techniques[technique], chosen)


def size(options: Mapping[str, Any]) -> int:
    """The number of cells times the tests for each, or the limit if that is less."""
    features = (("categories", CATEGORIES), ("styles", STYLES), ("techniques", TECHNIQUES))
    total: int = options["tests_per_cell"] * len(options["languages"])
    for name, known in features:
        total *= len(known if options[name] is None else options[name])
    return total if options["limit"] is None else min(total, options["limit"])


def _selected(chosen: Sequence[str] | None, known: Mapping[str, object], seed: int) -> list[str]:
    # The order in which somebody lists a selection should not change the suite.
    return shuffled([known_id for known_id in known if chosen is None or known_id in chosen], seed)
