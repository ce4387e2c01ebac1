"""The catalogue agrees with the papers' tables and with the other taxonomies' own words."""

from itertools import chain

import pytest
from openai.types.moderation import Categories as OpenAICategories

from service.domain.catalog import CATEGORIES, STYLES, TECHNIQUES, category_from_astral

ASTRAL = {
    "c1": ("animal_abuse", "animal_abuse"),
    "c2": ("child_abuse", "child_abuse"),
    "c3": ("controversial_topics,politics", "controversial_topics"),
    "c4": ("discrimination,stereotype,injustice", "discrimination"),
    "c5": ("drug_abuse,weapons,banned_substance", "drugs_weapons"),
    "c6": ("financial_crime,property_crime,theft", "financial_crime"),
    "c7": ("hate_speech,offensive_language", "hate_speech"),
    "c8": ("misinformation_regarding_ethics,laws_and_safety", "misinformation"),
    "c9": ("non_violent_unethical_behavior", "non_violent_unethical_behavior"),
    "c10": ("privacy_violation", "privacy_violation"),
    "c11": ("self_harm", "self_harm"),
    "c12": ("sexually_explicit,adult_content", "sexual_content"),
    "c13": ("terrorism,organized_crime", "terrorism"),
    "c14": ("violence,aiding_and_abetting,incitement", "violence"),
}
AILUMINATE = {"vcr", "ncr", "src", "cse", "dfm", "spc", "prv", "ipv", "iwp", "hte", "ssh", "sxc"}


def test_categories_stand_in_the_order_of_the_papers() -> None:
    assert [category.astral_id for category in CATEGORIES.values()] == list(ASTRAL)


@pytest.mark.parametrize(("astral_id", "names"), ASTRAL.items())
def test_category_from_astral_knows_ids_and_names(astral_id: str, names: tuple[str, str]) -> None:
    astral_name, ours = names
    assert category_from_astral(astral_id) is category_from_astral(astral_name) is CATEGORIES[ours]


@pytest.mark.parametrize("stranger", ["c0", "c15", "", "C1", "hate_speech"])
def test_category_from_astral_refuses_what_the_authors_do_not_use(stranger: str) -> None:
    with pytest.raises(KeyError):
        category_from_astral(stranger)


def test_the_mapping_to_mlcommons_uses_every_hazard_and_no_other_code() -> None:
    assert set(chain.from_iterable(category.mlcommons for category in CATEGORIES.values())) == AILUMINATE


def test_the_mapping_to_openai_uses_every_category_of_the_api_and_no_other_name() -> None:
    names = {field.alias or name for name, field in OpenAICategories.model_fields.items()}
    assert set(chain.from_iterable(category.openai_moderation for category in CATEGORIES.values())) == names


def test_ids_are_their_own_keys() -> None:
    for catalogue in (CATEGORIES, STYLES, TECHNIQUES):
        assert [entry.id for entry in catalogue.values()] == list(catalogue)
    assert (len(CATEGORIES), len(STYLES), len(TECHNIQUES)) == (14, 6, 5)


def test_no_definition_is_used_twice() -> None:
    definitions = [category.definition for category in CATEGORIES.values()]
    definitions += [feature.definition for feature in (*STYLES.values(), *TECHNIQUES.values())]
    assert len(set(definitions)) == len(definitions)


def test_the_catalogue_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        CATEGORIES["new"] = CATEGORIES["violence"]  # type: ignore[index]
