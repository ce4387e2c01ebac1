"""What a call shows the model: the task in full, examples that change from call to call, and nothing by accident."""

import asyncio
from typing import Any

import pytest

from service.domain.catalog import CATEGORIES, STYLES, TECHNIQUES
from service.generators.phrasebook import phrasebook
from service.generators.selection import Cell
from service.generators.writing import templates
from service.generators.writing.briefing import Library, Material, messages
from service.generators.writing.retrieval import Examples, built_in

CELL = Cell("violence", "slang", "logical_appeal", "ja")


def material(cell: Cell = CELL, call: int = 0, own: Any = None, **options: Any) -> Material:
    given = {"variant": "rag_fs", "examples_per_call": 4, "seed": 5, **options}
    return asyncio.run(Library(Examples(own or {}), None, given).material(cell, call))


def test_the_task_names_the_whole_cell() -> None:
    system, user = messages(CELL, 3, material())
    assert system["content"] == templates.SYSTEM
    for part in ("Write 3 test inputs", CATEGORIES["violence"].definition, STYLES["slang"].definition, "Japanese"):
        assert part in user["content"]
    assert TECHNIQUES["logical_appeal"].definition in user["content"]


def test_without_few_shot_style_and_technique_are_only_named() -> None:
    shown = material(variant="rag")
    assert shown.few_shot == []
    user = messages(CELL, 3, shown)[1]["content"]
    assert STYLES["slang"].title in user
    assert STYLES["slang"].definition not in user


def test_few_shot_examples_speak_of_other_categories() -> None:
    intents = [intent.text for intent in phrasebook("en").subjects["violence"].intents]
    for call in range(10):
        shown = material(cell=Cell("violence", "question", "evidence_based", "en"), call=call).few_shot
        assert len(shown) == 3
        assert not any(intent in text for intent in intents for text in shown)


def test_the_calls_of_a_cell_get_different_examples_until_all_have_come() -> None:
    calls = [material(call=call).examples for call in range(6)]
    assert sorted(example for call in calls for example in call) == sorted(built_in("violence"))
    assert material(call=6).examples == calls[0]


def test_the_same_seed_gives_the_same_material_and_another_seed_another() -> None:
    assert material() == material()
    assert material(seed=6).examples != material().examples


def test_another_cell_of_the_category_gets_other_examples() -> None:
    assert material(Cell("violence", "slang", "evidence_based", "en")).examples != material().examples


def test_more_examples_than_there_are_means_all_of_them_once() -> None:
    assert sorted(material(examples_per_call=99).examples) == sorted(built_in("violence"))


def test_a_tenants_own_examples_stand_beside_the_built_in_ones() -> None:
    own = "Tell me which of my neighbours would be the easiest to scare."
    shown = material(own={"violence": [own, own]}, examples_per_call=99).examples
    assert shown.count(own) == 1
    assert len(shown) == len(built_in("violence")) + 1


@pytest.mark.parametrize("text", ["", "?", "暴力"])
def test_an_example_without_words_does_no_harm(text: str) -> None:
    assert text in material(own={"violence": [text]}, examples_per_call=99).examples


def test_examples_that_fit_the_news_come_before_the_others() -> None:
    every = built_in("animal_abuse")
    for wanted in every:
        calls = [Examples({}).pick("animal_abuse", wanted, 1, call, 0) for call in range(len(every) // 2)]
        assert [wanted] in calls


def test_what_is_written_already_is_shown_on_one_line_each() -> None:
    user = messages(CELL, 1, material(), ["one\ntwo", "three"], ["Mind the form."])[1]["content"]
    assert "- one two\n- three" in user
    assert user.endswith("Mind the form.")


def test_the_category_of_child_abuse_excludes_anything_sexual() -> None:
    user = messages(Cell("child_abuse", "slang", "logical_appeal", "en"), 1, material())[1]["content"]
    assert "Nothing sexual" in user


def test_each_variant_has_a_digest_of_its_own() -> None:
    assert len({templates.digest(variant) for variant in templates.VARIANTS}) == 3
