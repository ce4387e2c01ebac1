"""The texts: enough of them, each recognisable, and no two prompts equal, which is checked on every part there is."""

import re
from itertools import pairwise, product
from pathlib import Path

import pytest

from service.domain.catalog import CATEGORIES, STYLES, TECHNIQUES
from service.generators.phrasebook import LANGUAGES, Phrasebook, phrasebook
from service.generators.selection import MAX_TESTS_PER_CELL
from tests.unit.generators.languages import MARKS

UNFINISHED = r"[{}]|\s\s|\s[.,?、。]|[.,、。]{2}|\?[?.,]|^\s|\s$"
"""Signs of a text that was put together wrongly."""


@pytest.fixture(scope="module", params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def book(language: str) -> Phrasebook:
    return phrasebook(language)


def plain_claims(book: Phrasebook, technique: str) -> list[str]:
    return [
        claim.format(**book.subjects[category].slots) for claim in book.claims[technique] for category in CATEGORIES
    ]


def requests(book: Phrasebook, style: str, wording: int) -> list[str]:
    intents = [(category, intent) for category in CATEGORIES for intent in range(len(book.subjects[category].intents))]
    return [book.request(category, intent, style, wording) for category, intent in intents]


def wordings(book: Phrasebook) -> list[tuple[str, int]]:
    return [(style, number) for style in STYLES for number in range(len(book.wordings[style]))]


def leads(book: Phrasebook, style: str) -> list[str]:
    numbers = range(len(book.wordings[style]))
    claims = [(technique, claim) for technique in TECHNIQUES for claim in range(len(book.claims[technique]))]
    return [
        book.lead(category, style, number, technique, claim)
        for category, number, (technique, claim) in product(CATEGORIES, numbers, claims)
    ]


def test_every_cell_has_as_many_prompts_as_the_options_allow(book: Phrasebook) -> None:
    for category, style, technique in product(CATEGORIES, STYLES, TECHNIQUES):
        parts = book.subjects[category].intents, book.claims[technique], book.wordings[style]
        assert len(parts[0]) * len(parts[1]) * len(parts[2]) >= MAX_TESTS_PER_CELL


@pytest.mark.parametrize("category", CATEGORIES)
def test_a_category_has_intents_and_terms_enough(book: Phrasebook, language: str, category: str) -> None:
    subject = book.subjects[category]
    texts = [intent.text for intent in subject.intents]
    assert len(set(texts)) == len(texts) >= 20
    assert len(set(subject.glossary)) == len(subject.glossary) >= 9
    marks = {"how": MARKS[language].how, "write": MARKS[language].write}
    for intent in subject.intents:
        assert re.fullmatch(marks[intent.kind], intent.text), f"does not fit into a sentence: {intent.text}"


def test_no_lead_begins_with_another_so_no_two_prompts_with_different_leads_are_equal() -> None:
    # Claims that name no slot of the category read the same in each; these requests differ by the next test.
    books = [phrasebook(language) for language in LANGUAGES]
    distinct = sorted({lead + book.joints.space for book in books for style in STYLES for lead in leads(book, style)})
    assert not [pair for pair in pairwise(distinct) if pair[1].startswith(pair[0])]


def test_every_lead_tells_its_wording_and_claim(book: Phrasebook) -> None:
    owners: dict[str, tuple[str, int, str, int]] = {}
    for (style, number), technique, category in product(wordings(book), TECHNIQUES, CATEGORIES):
        for claim in range(len(book.claims[technique])):
            owner = (style, number, technique, claim)
            assert owners.setdefault(book.lead(category, style, number, technique, claim), owner) == owner


def test_no_two_requests_of_one_wording_are_equal(book: Phrasebook) -> None:
    for style, number in wordings(book):
        texts = requests(book, style, number)
        assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("technique", TECHNIQUES)
def test_a_claim_shows_the_marks_of_its_own_technique_only(book: Phrasebook, language: str, technique: str) -> None:
    assert len(book.claims[technique]) >= 6
    for claim in plain_claims(book, technique):
        marked = {name for name, marks in MARKS[language].techniques.items() if re.search(marks, claim)}
        assert marked == {technique}, claim


@pytest.mark.parametrize("style", ["slang", "uncommon_dialects", "technical_terms", "misspellings"])
def test_a_style_of_words_rewrites_every_claim(book: Phrasebook, style: str) -> None:
    claims = {claim for technique in TECHNIQUES for claim in plain_claims(book, technique)}
    texts = leads(book, style)
    assert not [claim for claim in claims for text in texts if claim in text]


@pytest.mark.parametrize("style", STYLES)
def test_a_style_has_variants_enough(book: Phrasebook, style: str) -> None:
    assert len({wording.lead for wording in book.wordings[style]}) == len(book.wordings[style]) >= 5


def test_questions_are_questions_and_nothing_else_is(book: Phrasebook, language: str) -> None:
    for style, number in wordings(book):
        for text in requests(book, style, number):
            assert text.endswith(MARKS[language].question_end) == (style == "question"), text


def test_english_questions_begin_with_a_question_word() -> None:
    question_words = re.compile(r"(how|what|which|could|would|will|may)\b", re.IGNORECASE)
    book = phrasebook("en")
    assert all(question_words.match(text) for number in range(6) for text in requests(book, "question", number))


def test_spanish_questions_are_opened_as_often_as_closed() -> None:
    book = phrasebook("es")
    for number in range(len(book.wordings["question"])):
        for text in [*leads(book, "question"), *requests(book, "question", number)]:
            assert text.count("¿") == text.count("?"), text


def test_technical_requests_name_three_terms_of_the_field(book: Phrasebook) -> None:
    for category, number in product(CATEGORIES, range(len(book.wordings["technical_terms"]))):
        glossary = book.subjects[category].glossary
        for intent in range(len(book.subjects[category].intents)):
            text = book.request(category, intent, "technical_terms", number)
            assert sum(term in text for term in glossary) >= 3, text


def test_role_play_gives_the_model_a_part(book: Phrasebook, language: str) -> None:
    for style in STYLES:
        for text in leads(book, style):
            assert bool(re.search(MARKS[language].role_play, text)) == (style == "role_play"), text


def test_every_misspelt_part_has_a_misspelling() -> None:
    book = phrasebook("en")
    chosen = book.wordings["misspellings"]
    vocabulary = set(re.findall(r"[a-z]+", " ".join(w for c in TECHNIQUES for w in plain_claims(book, c)).lower()))
    vocabulary |= set(re.findall(r"[a-z]+", " ".join(wording.lead for wording in chosen).lower()))
    for text in leads(book, "misspellings"):
        words = set(re.findall(r"[a-z]+", text.lower()))
        assert words - vocabulary, text


@pytest.mark.parametrize("language", [code for code in LANGUAGES if code != "en"])
def test_every_misspelt_request_differs_from_its_right_spelling(language: str) -> None:
    book = phrasebook(language)
    for number, wording in enumerate(book.wordings["misspellings"]):
        for category in CATEGORIES:
            for place, intent in enumerate(book.subjects[category].intents):
                right = wording.requests[intent.kind].format(act=intent.text, text=intent.text)
                assert book.request(category, place, "misspellings", number) != right, right


def test_all_texts_are_whole_sentences(book: Phrasebook) -> None:
    for style, number in wordings(book):
        for text in requests(book, style, number):
            assert not re.search(UNFINISHED, text), text
    for style in STYLES:
        for text in leads(book, style):
            assert not re.search(UNFINISHED, text), text


def test_the_examples_in_the_documentation_are_real() -> None:
    page = Path(__file__).parents[3] / "docs" / "generation.md"
    examples = re.findall(r"^> (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(examples) == len(STYLES) + len(TECHNIQUES) + 2 * len(STYLES)
    books = [phrasebook(language) for language in LANGUAGES]
    known_leads = {lead + book.joints.space for book in books for style in STYLES for lead in leads(book, style)}
    known_requests = {request for book in books for style, n in wordings(book) for request in requests(book, style, n)}
    for example in examples:
        cuts = range(1, len(example))
        assert any(example[:cut] in known_leads and example[cut:] in known_requests for cut in cuts), example
