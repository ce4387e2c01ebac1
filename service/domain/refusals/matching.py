"""Where an answer's refusing sentences stand."""

import re
from functools import lru_cache

from service.domain.refusals import languages, phrases
from service.domain.refusals.text import Document, Sentence, normalise, normalised_prompt

_SHOWN = 120


def refusals_in(read: Document, language: str | None, extra: tuple[str, ...], prompt: str) -> dict[int, str]:
    """The refusing sentences in the answer's own voice: position → the phrase found in it.

    Left out are sentences in quotation marks, block quotes, code, scripts with several speakers, and what the answer
    repeats from the prompt.
    """
    if phrases.WHOLE_REFUSAL.fullmatch(read.text):
        return {0: read.text}
    if read.script:
        return {}
    echoed = normalised_prompt(prompt)
    own, foreign = _own_phrases(extra), _foreign(language, read)
    found: dict[int, str] = {}
    for index, sentence in enumerate(read.sentences):
        match = None if sentence.foreign else _match(sentence, own, foreign)
        if match and not read.quoted(sentence.start + match.start()) and sentence.text not in echoed:
            found[index] = match[0].strip()[:_SHOWN]
    return found


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
