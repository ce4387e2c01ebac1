"""Where an answer's refusing sentences stand."""

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from service.domain.refusals import languages, phrases
from service.domain.refusals.clauses import Place, clauses
from service.domain.refusals.foreign import is_foreign
from service.domain.refusals.text import Document, Sentence, normalise, normalised_prompt

_SHOWN = 120
_MOST_CLAUSES = 4
"""So many refusals are looked for in one sentence. What follows the last of them counts as an answer."""


class Refusals(NamedTuple):
    """An answer divided so that a refusing clause is a sentence of its own, and where it refuses."""

    document: Document
    phrases: dict[int, str]
    """Position of a refusing sentence in `document` → the phrase found in it."""
    number: int
    """Which sentence of the answer as it stands refuses first, counted from 1; 0 if none does."""


class _Search(NamedTuple):
    own: re.Pattern[str] | None
    foreign: list[re.Pattern[str]]
    echoed: str


def refusals_in(read: Document, language: str | None, extra: tuple[str, ...], prompt: str) -> Refusals:
    """The refusing clauses in the answer's own voice.

    Left out are sentences in quotation marks, block quotes, code, scripts with several speakers, and what the answer
    repeats from the prompt.
    """
    if phrases.WHOLE_REFUSAL.fullmatch(read.text):
        return Refusals(read, {0: read.text}, 1)
    search = _Search(_own_phrases(extra), _foreign(language, read), normalised_prompt(prompt))
    sentences: list[Sentence] = []
    found: dict[int, str] = {}
    number = 0
    for index, sentence in enumerate(read.sentences, 1):
        for piece, phrase in _pieces(read, sentence, search, _MOST_CLAUSES):
            if phrase is not None:
                found[len(sentences)] = phrase
                number = number or index
            sentences.append(piece)
    return Refusals(replace(read, sentences=tuple(sentences)), found, number)


def _pieces(read: Document, sentence: Sentence, search: _Search, most: int) -> Iterator[tuple[Sentence, str | None]]:
    """A sentence's clauses with the refusing phrase of each; what follows a refusal may hold another one."""
    match = _own_voice(read, sentence, search) if most else None
    if match is None:
        yield sentence, None
        return
    phrase = match[0].strip()[:_SHOWN]
    if is_foreign(phrase):
        yield sentence, phrase
        return
    for piece, part in clauses(sentence, match):
        if part is Place.AFTER:
            yield from _pieces(read, piece, search, most - 1)
        else:
            yield piece, phrase if part is Place.REFUSING else None


def _own_voice(read: Document, sentence: Sentence, search: _Search) -> re.Match[str] | None:
    match = None if sentence.foreign or sentence.start >= read.script else _match(sentence, search.own, search.foreign)
    if match is None or read.quoted(sentence.start + match.start()) or sentence.text in search.echoed:
        return None
    return match


def _match(sentence: Sentence, own: re.Pattern[str] | None, foreign: list[re.Pattern[str]]) -> re.Match[str] | None:
    if own and (match := own.search(sentence.text)):
        return match
    if match := phrases.REFUSAL.search(sentence):
        return match
    return next((match for pattern in foreign if (match := pattern.search(sentence.text))), None)


def _foreign(language: str | None, read: Document) -> list[re.Pattern[str]]:
    if language == "en" and read.text.isascii():
        return []
    if language in languages.REFUSALS:
        return [languages.REFUSALS[language]]
    return list(languages.REFUSALS.values())


@lru_cache(maxsize=64)
def _own_phrases(extra: tuple[str, ...]) -> re.Pattern[str] | None:
    plain = [phrase for phrase in map(normalise, extra) if phrase]
    if not plain:
        return None
    return re.compile("|".join(rf"(?<!\w){re.escape(phrase)}(?!\w)" for phrase in plain))
