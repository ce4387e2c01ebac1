"""The matrix generator keeps its promises: every cell equally often, no prompt twice, the same suite for a seed."""

import asyncio
import os
import subprocess
import sys
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from inspect import isgenerator
from itertools import islice
from time import process_time
from typing import Any

import pytest
from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError

from service.domain.cases import Case
from service.domain.catalog import CATEGORIES, STYLES, TECHNIQUES
from service.domain.coverage import cases_by_cell, coverage
from service.generators.base import Tools, generators
from service.generators.matrix import Matrix, _Prompts, sequence
from service.generators.phrasebook import LANGUAGES, phrasebook
from service.llm.limits import LocalLimiter

DIGEST = """
from tests.unit.generators.test_matrix import digest, matrix
print(digest(matrix(tests_per_cell=2, seed=11, languages=None)))
"""

ENGLISH_DIGESTS = [
    ({}, "8aebddd1ceac4e4eb6db904b31b1af0845693fa6d365f35b68a26e0ed1e5d1b3"),
    ({"tests_per_cell": 15}, "23b57bcb23041732cbbca25ede263c81e1bb4c69b2c678706f72545e3aa20c56"),
    ({"limit": 42, "seed": 7}, "1dcb12bc4b8b210d2caed86f84da24bbb796166aaf30c93287ee04c53fabe6ca"),
]
"""Taken when English was the only language."""

ALL = {
    "category": list(CATEGORIES),
    "style": list(STYLES),
    "technique": list(TECHNIQUES),
    "language": list(LANGUAGES),
}


@dataclass
class Options:
    """Validated options, and what they give."""

    loaded: dict[str, Any]

    def size(self) -> int:
        return Matrix.size(self.loaded)

    def cases(self) -> Iterator[Case]:
        return sequence(self.loaded)


def matrix(**options: Any) -> Options:
    return Options(Matrix.Options().load(options))


def digest(generator: Options) -> str:
    state = sha256()
    for case in generator.cases():
        state.update(f"{case}\n".encode())
    return state.hexdigest()


def counts(cases: list[Case], feature: str) -> Counter[str]:
    return Counter(getattr(case, feature) for case in cases)


def test_it_is_known_by_name() -> None:
    assert generators.get("matrix") is Matrix


def test_the_papers_large_suite_has_fifteen_of_every_cell_all_distinct() -> None:
    generator = matrix(tests_per_cell=15)
    cases = list(generator.cases())
    assert generator.size() == len(cases) == len({case.prompt for case in cases}) == 6300
    assert [case.index for case in cases] == list(range(6300))
    cells = Counter((case.category, case.style, case.technique) for case in cases)
    assert len(cells) == 420
    assert set(cells.values()) == {15}


def test_a_cell_can_be_filled_to_the_limit_without_repeating() -> None:
    generator = matrix(categories=["violence"], styles=["slang"], techniques=["logical_appeal"], tests_per_cell=1000)
    assert len({case.prompt for case in generator.cases()}) == 1000


def test_the_first_cases_of_a_cell_differ_in_intent() -> None:
    cell = {"categories": ["violence"], "styles": ["role_play"], "techniques": ["evidence_based"]}
    prompts = " ".join(case.prompt for case in matrix(**cell, tests_per_cell=24).cases())
    assert all(prompts.count(intent.text) == 1 for intent in phrasebook("en").subjects["violence"].intents)


def test_the_same_options_give_the_same_suite_in_every_process() -> None:
    digests = set()
    for hash_seed in ("0", "1234"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        ran = subprocess.run(  # noqa: S603
            [sys.executable, "-c", DIGEST], env=environment, capture_output=True, text=True, check=True
        )
        digests.add(ran.stdout.strip())
    assert digests == {digest(matrix(tests_per_cell=2, seed=11, languages=None))}


@pytest.mark.parametrize(("options", "expected"), ENGLISH_DIGESTS)
def test_english_suites_are_what_they_were_before_there_were_other_languages(
    options: dict[str, Any], expected: str
) -> None:
    assert digest(matrix(**options)) == digest(matrix(**options, languages=["en"])) == expected


def test_three_languages_give_a_cell_for_every_combination_all_distinct() -> None:
    generator = matrix(languages=["en", "es", "ja"])
    cases = list(generator.cases())
    assert generator.size() == len(cases) == len({case.prompt for case in cases}) == 1260
    assert set(cases_by_cell(cases).values()) == {1}
    assert coverage(cases, 4, ALL).complete


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_fills_its_cells_fifteen_times_all_distinct(language: str) -> None:
    cases = list(matrix(languages=[language], tests_per_cell=15).cases())
    assert len({case.prompt for case in cases}) == 6300
    assert {case.language for case in cases} == {language}
    assert set(cases_by_cell(cases).values()) == {15}


@pytest.mark.parametrize(("strength", "least"), [(2, 14 * 6), (3, 14 * 6 * 5)])
def test_a_strength_covers_every_combination_with_hardly_more_cases_than_that_takes(strength: int, least: int) -> None:
    generator = matrix(languages=None, strength=strength, seed=3)
    cases = list(generator.cases())
    assert coverage(cases, strength, ALL).complete
    assert least <= generator.size() == len(cases) <= least * 1.05
    assert len({case.prompt for case in cases}) == len(cases)


def test_a_strength_takes_each_of_its_cells_as_often_as_asked() -> None:
    once, thrice = (matrix(strength=2, tests_per_cell=number) for number in (1, 3))
    assert thrice.size() == 3 * once.size()
    assert set(cases_by_cell(thrice.cases()).values()) == {3}


def test_a_strength_gives_the_same_cells_for_a_seed_and_others_for_another() -> None:
    first, again, other = (list(matrix(strength=2, seed=seed).cases()) for seed in (1, 1, 2))
    assert first == again
    assert set(cases_by_cell(first)) != set(cases_by_cell(other))


def test_suites_are_made_in_no_time() -> None:
    start = process_time()
    for _ in matrix(tests_per_cell=15).cases():
        pass
    english = process_time() - start
    start = process_time()
    for _ in matrix(languages=None).cases():
        pass
    assert english < 2
    assert process_time() - start < 2


def test_another_seed_gives_other_prompts() -> None:
    first, second = ({case.prompt for case in matrix(seed=seed).cases()} for seed in (1, 2))
    assert len(first & second) < 42


def test_the_order_of_a_selection_does_not_matter() -> None:
    listed = matrix(styles=["question", "slang"], categories=["violence", "terrorism"])
    reversed_ = matrix(styles=["slang", "question"], categories=["terrorism", "violence"])
    assert digest(listed) == digest(reversed_)


def test_a_limit_of_42_takes_every_category_three_times_and_every_style_seven_times() -> None:
    cases = list(matrix(limit=42).cases())
    assert set(counts(cases, "category").values()) == {3}
    assert set(counts(cases, "style").values()) == {7}
    assert set(counts(cases, "technique").values()) == {8, 9}


def test_a_limit_of_14_takes_every_category_once() -> None:
    assert set(counts(list(matrix(limit=14).cases()), "category").values()) == {1}


def selections(known: Any) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(sorted(known)), min_size=1, unique=True)


FIELDS = {"category": "categories", "style": "styles", "technique": "techniques", "language": "languages"}

some_options = st.fixed_dictionaries(
    {
        "categories": selections(CATEGORIES),
        "styles": selections(STYLES),
        "techniques": selections(TECHNIQUES),
        "languages": selections(LANGUAGES),
        "tests_per_cell": st.integers(1, 1000),
        "limit": st.integers(1, 300),
        "seed": st.integers(0, 2**63 - 1),
    }
)


@given(options=some_options)
@settings(deadline=None)  # the first example reads the texts
def test_any_limit_of_any_selection_is_spread_evenly(options: dict[str, Any]) -> None:
    generator = matrix(**options)
    cases = list(generator.cases())
    cells = len(options["categories"]) * len(options["styles"]) * len(options["techniques"])
    cells *= len(options["languages"])
    assert len(cases) == generator.size() == min(options["limit"], cells * options["tests_per_cell"])
    assert len({case.prompt for case in cases}) == len(cases)
    for feature, chosen in FIELDS.items():
        met = counts(cases, feature)
        assert set(met) <= set(options[chosen])
        assert max(met[one] for one in options[chosen]) - min(met[one] for one in options[chosen]) <= 1


def test_cases_are_made_as_they_are_asked_for() -> None:
    cases = matrix(tests_per_cell=1000).cases()
    assert isgenerator(cases)
    assert len(list(islice(cases, 3))) == 3


def test_going_on_behind_many_cases_makes_none_of_them_again(monkeypatch: pytest.MonkeyPatch) -> None:
    options, made = matrix(tests_per_cell=1000).loaded, list[int]()
    whole, of_number = list(islice(sequence(options), 1001)), _Prompts.__getitem__

    def counted(prompts: _Prompts, number: int) -> str:
        made.append(number)
        return of_number(prompts, number)

    monkeypatch.setattr(_Prompts, "__getitem__", counted)

    async def go_on() -> Case:
        return await anext(Matrix(options, Tools(LocalLimiter(1), "")).cases(whole[:1000]))

    assert asyncio.run(go_on()) == whole[1000]
    assert len(made) == 1


def test_memory_does_not_grow_with_the_number_of_cases() -> None:
    cases = matrix(categories=["violence"], tests_per_cell=700).cases()
    next(islice(cases, 7000, None))  # by now every lead and request of the category has been made
    tracemalloc.start()
    made = sum(1 for _ in islice(cases, 10_000))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert made == 10_000
    assert peak < 500_000


@pytest.mark.parametrize(
    ("options", "field", "message"),
    [
        ({"categories": []}, "categories", "Choose at least one category"),
        ({"styles": ["slang", "slang"]}, "styles", "Name each only once"),
        ({"techniques": ["bribery"]}, "techniques", "logical_appeal"),
        ({"languages": []}, "languages", "Choose at least one language"),
        ({"languages": ["fr"]}, "languages", "Unknown language 'fr'; choose from en, es, ja."),
        ({"strength": 4}, "strength", "Choose one of 2, 3, or null"),
        ({"tests_per_cell": 0}, "tests_per_cell", "Choose 1 to 1000"),
        ({"tests_per_cell": 1001}, "tests_per_cell", "no cell has more than 1000"),
        ({"tests_per_cell": "2"}, "tests_per_cell", "integer"),
        ({"limit": 0}, "limit", "or null for no limit"),
        ({"seed": -1}, "seed", "Choose 0 to"),
        ({"seed": 2**63}, "seed", "Choose 0 to"),
        ({"colour": "red"}, "colour", "Unknown field"),
    ],
)
def test_wrong_options_are_refused_with_a_word_on_what_to_do(options: dict[str, Any], field: str, message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Matrix.Options().load(options)
    assert message in str(refused.value.messages_dict[field])


def test_the_published_schema_allows_just_what_is_accepted() -> None:
    spec = APISpec("t", "1", "3.1.0", plugins=[MarshmallowPlugin()])
    spec.components.schema("Matrix", schema=Matrix.Options)
    properties = spec.to_dict()["components"]["schemas"]["Matrix"]["properties"]
    assert properties["categories"]["items"]["enum"] == list(CATEGORIES)
    assert properties["categories"]["type"] == ["array", "null"]
    assert properties["languages"]["items"]["enum"] == ["en", "es", "ja"]
    assert properties["languages"]["default"] == ["en"]
    assert properties["strength"]["enum"] == [2, 3, None]
    assert (properties["styles"]["minItems"], properties["styles"]["uniqueItems"]) == (1, True)
    assert (properties["tests_per_cell"]["minimum"], properties["tests_per_cell"]["maximum"]) == (1, 1000)
    assert (properties["limit"]["minimum"], properties["limit"]["default"]) == (1, None)
    assert (properties["seed"]["minimum"], properties["seed"]["maximum"]) == (0, 2**63 - 1)
