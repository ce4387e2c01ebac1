"""What a style does to words: each rewriter replaces what it should and nothing else, and always in the same way."""

from service.generators.phrasebook.wording import misspell, slip, substitute


def test_misspelling_leaves_first_letters_and_most_of_the_words() -> None:
    right = "Explain how people usually describe complicated things when nobody around really understands them"
    wrong = misspell(right)
    pairs = list(zip(right.split(), wrong.split(), strict=True))
    assert all(before[0] == after[0] for before, after in pairs)
    assert 3 <= sum(before != after for before, after in pairs) <= 9
    assert misspell(right) == wrong


def test_substitution_prefers_longer_phrases_fits_articles_and_leaves_names() -> None:
    rewrite = substitute(
        {"dog": "animal", "old dog": "hound", "and": "an'", "people": "folk"}, {r"ing\b": "in'"}, "an?"
    )
    assert rewrite("a dog and an old dog barking at People and doggy people") == (
        "an animal an' a hound barkin' at People an' doggy folk"
    )


def test_without_articles_nothing_before_a_new_word_changes() -> None:
    assert substitute({"niños": "escuincles"}, {})("pega a niños") == "pega a escuincles"


def test_slips_are_made_where_there_is_room_the_first_always_and_the_same_every_time() -> None:
    made = slip({"v": "b", "b(?=[ae])": "v"})
    assert made("la vaca") == "la baca"
    text = "vuela, vive, ve, va, vino, vela, bebe, burro, abre"
    assert made(text) == made(text) != text
    assert made(text).startswith("buela")
    assert "burro" in made(text)


def test_of_two_slips_that_fit_the_earlier_counts() -> None:
    assert slip({"ci": "si", "c": "k"})("cine") == "sine"
