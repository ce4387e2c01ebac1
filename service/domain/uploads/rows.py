"""From a row to a case: columns are mapped, and the papers' names of features are understood."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from service.domain.cases import Case
from service.domain.catalog import CATEGORIES, STYLES, TECHNIQUES
from service.domain.uploads.reading import Rejected, Row

MAX_PROMPT = 32_768
"""Characters."""
COLUMNS = ("prompt", "category", "style", "technique", "language")
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_SEPARATORS = re.compile(r"[\s\-]+")


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column holds what, where it is not the one of that name."""

    names: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, feature: str) -> str:
        return self.names.get(feature, feature)


def case_of(index: int, row: Row, columns: Columns) -> Case | Rejected:
    """The case that a row holds; columns that are not ours are passed over."""
    values = {feature: row.values.get(columns[feature]) for feature in COLUMNS}
    try:
        return Case(
            index,
            _prompt(values["prompt"]),
            _known("category", values["category"], _CATEGORY_NAMES),
            _known("style", values["style"], _names(STYLES)),
            _known("technique", values["technique"], _names(TECHNIQUES)),
            _language(values["language"]),
        )
    except ValueError as error:
        return Rejected(row.line, str(error))


def _prompt(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("It has no prompt.")
    if len(value) > MAX_PROMPT:
        raise ValueError(f"The prompt has {len(value):,} characters; {MAX_PROMPT:,} are the most.")
    if _UNSTORABLE.search(value):
        raise ValueError("The prompt holds NUL or half a surrogate pair.")
    return value


def _known(feature: str, value: Any, names: Mapping[str, str]) -> str | None:
    if value is None or value == "":
        return None
    found = names.get(_plain(value)) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"Unknown {feature} {str(value)[:60]!r}; GET /v1/catalog lists the known ones.")
    return found


def _language(value: Any) -> str:
    if value is None or value == "":
        return "en"
    if not isinstance(value, str) or len(value) > 16 or not LANGUAGE.fullmatch(value):  # noqa: PLR2004 - as the column
        raise ValueError(f"{str(value)[:60]!r} is not a language tag such as en or pt-BR.")
    return value


def _plain(name: str) -> str:
    """A name without regard to case, to the kind of separators, and to the word that ends the papers' techniques."""
    return _SEPARATORS.sub("_", name.strip().casefold()).removesuffix("_persuasion")


def _names(known: Mapping[str, Any]) -> dict[str, str]:
    return {_plain(name): known_id for known_id, each in known.items() for name in (known_id, each.title)}


_CATEGORY_NAMES = {
    _plain(name): category.id
    for category in CATEGORIES.values()
    for name in (category.id, category.title, category.astral_id, category.astral_name)
}
