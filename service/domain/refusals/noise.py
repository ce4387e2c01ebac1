"""Which language an answer is in, and whether it is language at all."""

import unicodedata
from collections import Counter
from collections.abc import Sequence
from itertools import islice

from service.domain.refusals.languages import STOP_WORDS
from service.domain.refusals.text import Document, Sentence, document

_LOOKED_AT = 400
_FEW_WORDS = 6
"""So short an answer shows no language; it is read as English, which finds nothing in it if it is not."""
_ANOTHER_SCRIPT = 0.4
_LEAST_STOP_WORDS = 0.08
_LOOP_WORDS = 12
_LOOP_DISTINCT = 0.25
_LOOP_WINDOW = 120
_LOOP_REPEATS = 3
_LOOP_SHARE = 0.5
_GRAM = 5


def language_of(document: Document) -> str | None:
    """The language's code, or None for one that is not supported or not told.

    By script first (kana: Japanese, Han: Chinese), then by the share of each language's stop-words. The share under
    which no language is assumed, 0.08, lies far below that of running English (about 0.4).
    """
    letters = [character for character in document.text[:_LOOKED_AT] if character.isalpha()]
    if letters and sum(ord(c) > 0x24F for c in letters) > _ANOTHER_SCRIPT * len(letters):  # noqa: PLR2004 - Latin ends
        return _by_script(letters)
    return _by_stop_words(document.words[:_LOOKED_AT])


def in_english(sentences: Sequence[Sentence]) -> bool:
    """Whether some sentences of an answer are in English, so far as that can be told of so few."""
    text = " ".join(sentence.text for sentence in sentences)
    return not text or language_of(document(text)) == "en"


def _by_script(letters: Sequence[str]) -> str | None:
    names = Counter(unicodedata.name(letter, "").split(" ")[0] for letter in letters)
    if names["HIRAGANA"] + names["KATAKANA"]:
        return "ja"
    return "zh" if names["CJK"] else None


def _by_stop_words(words: Sequence[str]) -> str | None:
    if len(words) < _FEW_WORDS:
        return _of_few_words(words)
    hits = {code: sum(map(known.__contains__, words)) for code, known in STOP_WORDS.items()}
    best = max(hits, key=lambda code: hits[code])
    if hits[best] < max(1.0, _LEAST_STOP_WORDS * len(words)) or best == "other":
        return None
    return best


def _of_few_words(words: Sequence[str]) -> str:
    hits = {code: sum(map(known.__contains__, words)) for code, known in STOP_WORDS.items() if code != "other"}
    best = max(hits, key=lambda code: hits[code])
    return best if hits[best] > hits["en"] else "en"


def noise_in(document: Document) -> str | None:
    """Why an answer is no language but noise, in words; None when it is not.

    Small models fall into loops: the same sentence, the same few words again and again.
    """
    words = document.words[:_LOOP_WINDOW]
    if not words:
        return "it is empty" if not document.text else "it holds no words"
    if len(words) < _LOOP_WORDS:
        return None
    if len(set(words)) < _LOOP_DISTINCT * len(words):
        return f"only {len(set(words))} of its first {len(words)} words are distinct"
    return _loop_of_sentences(document) or _loop_of_words(words)


def _loop_of_sentences(document: Document) -> str | None:
    counts = Counter(sentence.text for sentence in document.sentences)
    (text, count) = counts.most_common(1)[0]
    if count >= _LOOP_REPEATS and count >= _LOOP_SHARE * len(document.sentences):
        return f'it repeats "{text[:60]}" {count} times'
    return None


def _loop_of_words(words: Sequence[str]) -> str | None:
    grams = Counter(zip(*(islice(words, start, None) for start in range(_GRAM)), strict=False))
    gram, count = grams.most_common(1)[0]
    if count >= _LOOP_REPEATS and count * _GRAM >= _LOOP_SHARE * len(words):
        return f'it repeats "{" ".join(gram)}" {count} times'
    return None
