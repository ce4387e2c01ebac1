"""The matrix generator keeps its promises: every cell equally often, no prompt twice, the same suite for a seed."""

import os
import subprocess
import sys
import tracemalloc
from collections import Counter
from hashlib import sha256
from inspect import isgenerator
from itertools import islice
from typing import Any

import pytest
from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError

from service.domain.cases import Case
from service.domain.catalog import CATEGORIES, STYLES, TECHNIQUES
from service.generators.base import generators
from service.generators.matrix import Matrix
from service.generators.phrasebook import phrasebook

DIGEST = """
from tests.unit.generators.test_matrix import digest, matrix
print(digest(matrix(tests_per_cell=2, seed=11)))
"""


def matrix(**options: Any) -> Matrix:
    return Matrix(Matrix.Options().load(options))


def digest(generator: Matrix) -> str:
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
    assert all(prompts.count(intent.text) == 1 for intent in phrasebook().subjects["violence"].intents)


def test_the_same_options_give_the_same_suite_in_every_process() -> None:
    digests = set()
    for hash_seed in ("0", "1234"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        ran = subprocess.run(  # noqa: S603
            [sys.executable, "-c", DIGEST], env=environment, capture_output=True, text=True, check=True
        )
        digests.add(ran.stdout.strip())
    assert digests == {digest(matrix(tests_per_cell=2, seed=11))}


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


some_options = st.fixed_dictionaries(
    {
        "categories": selections(CATEGORIES),
        "styles": selections(STYLES),
        "techniques": selections(TECHNIQUES),
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
    assert len(cases) == generator.size() == min(options["limit"], cells * options["tests_per_cell"])
    assert len({case.prompt for case in cases}) == len(cases)
    for feature, chosen in (("category", "categories"), ("style", "styles"), ("technique", "techniques")):
        met = counts(cases, feature)
        assert set(met) <= set(options[chosen])
        assert max(met[one] for one in options[chosen]) - min(met[one] for one in options[chosen]) <= 1


def test_cases_are_made_as_they_are_asked_for() -> None:
    cases = matrix(tests_per_cell=1000).cases()
    assert isgenerator(cases)
    assert len(list(islice(cases, 3))) == 3


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
    assert (properties["styles"]["minItems"], properties["styles"]["uniqueItems"]) == (1, True)
    assert (properties["tests_per_cell"]["minimum"], properties["tests_per_cell"]["maximum"]) == (1, 1000)
    assert (properties["limit"]["minimum"], properties["limit"]["default"]) == (1, None)
    assert (properties["seed"]["minimum"], properties["seed"]["maximum"]) == (0, 2**63 - 1)
