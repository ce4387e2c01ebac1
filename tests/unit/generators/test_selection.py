"""The order of cells: each once, and every beginning spread over all features."""

from collections import Counter
from typing import Any

import pytest

from service.generators.selection import Cell, cells, size

ALL = {
    "categories": None,
    "styles": None,
    "techniques": None,
    "strength": None,
    "seed": 0,
    "tests_per_cell": 1,
    "limit": None,
}


def walk(**options: Any) -> list[Cell]:
    return list(cells({**ALL, **options}))


@pytest.mark.parametrize("languages", [["en"], ["en", "ja"], ["en", "es", "ja"]])
@pytest.mark.parametrize("categories", [None, ["violence", "terrorism", "self_harm"]])
def test_every_cell_comes_once_in_every_language(languages: list[str], categories: list[str] | None) -> None:
    found = walk(languages=languages, categories=categories)
    assert len(found) == len(set(found)) == size({**ALL, "languages": languages, "categories": categories})


@pytest.mark.parametrize("languages", [["en"], ["en", "ja"], ["en", "es", "ja"]])
@pytest.mark.parametrize("taken", [14, 20, 42, 100, 419, 700])
def test_no_beginning_favours_a_language_or_category(languages: list[str], taken: int) -> None:
    beginning = walk(languages=languages)[:taken]
    for feature in ("language", "category"):
        counts = Counter(getattr(cell, feature) for cell in beginning).values()
        assert max(counts) - min(counts) <= 1


def test_the_order_in_which_a_selection_is_listed_does_not_matter() -> None:
    assert walk(languages=["en", "es"], styles=["slang", "question"]) == walk(
        languages=["es", "en"], styles=["question", "slang"]
    )


def test_another_seed_gives_another_order() -> None:
    assert walk(languages=["en"], seed=1) != walk(languages=["en"], seed=2)
