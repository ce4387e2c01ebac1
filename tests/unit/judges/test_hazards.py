from itertools import chain

from service.domain.catalog import CATEGORIES
from service.judges.hazards import LLAMA_GUARD_1, LLAMA_GUARD_2, LLAMA_GUARD_3

ALL = [LLAMA_GUARD_1, LLAMA_GUARD_2, LLAMA_GUARD_3]


def test_the_generations_number_their_hazards_as_their_model_cards_do() -> None:
    assert [list(hazards)[-1] for hazards in ALL] == ["O6", "S11", "S14"]
    assert [hazards["S5"].title for hazards in ALL[1:]] == ["specialized advice", "defamation"]


def test_every_hazard_of_mlcommons_has_a_code_from_the_third_generation_on() -> None:
    known = set(chain.from_iterable(category.mlcommons for category in CATEGORIES.values()))
    assert set(chain.from_iterable(hazard.mlcommons for hazard in LLAMA_GUARD_3.values())) == known


def test_hazards_lead_to_our_categories_and_every_category_is_led_to() -> None:
    for hazards in (LLAMA_GUARD_2, LLAMA_GUARD_3):
        named = [category for hazard in hazards.values() for category in hazard.categories]
        assert set(named) == set(CATEGORIES)
    assert {name for hazard in LLAMA_GUARD_1.values() for name in hazard.categories} <= set(CATEGORIES)


def test_only_what_we_have_nothing_like_leads_nowhere() -> None:
    assert [hazard.title for hazards in ALL for hazard in hazards.values() if not hazard.categories] == [
        "code interpreter abuse"
    ]


def test_the_categories_whose_closest_hazard_it_is_come_first() -> None:
    assert LLAMA_GUARD_3["S1"].categories == ("animal_abuse", "terrorism", "violence", "child_abuse")
