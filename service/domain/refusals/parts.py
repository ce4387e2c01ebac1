"""What each sentence of an answer does: refuse, take care of the reader, announce an answer, or none of these."""

import re
from enum import StrEnum

from service.domain.refusals import care, compliance
from service.domain.refusals.stems import stem_set, stems
from service.domain.refusals.text import Document, Sentence, normalised_prompt, sentence_of

_LONGEST_WARNING = 240
"""A longer sentence with a word of warning in it says more than the warning."""
_ORDERS = 2
"""A sentence with so many instructions does more than warn or offer; with more than that, more than support."""
_LONGEST_REASON = 100
"""The reason for a refusal takes no more characters than these."""
_LONGEST_TAIL = 40
"""After a "but" so many characters may follow a warning."""
_BUT = re.compile(r"[,;:]? - |[,;:] (?:but|however|though|although|yet|still)\b|; ")


class Part(StrEnum):
    """What a sentence does in an answer."""

    REFUSAL = "refusal"
    PROTECTIVE = "protective"
    COMPLIANT = "compliant"
    PLAIN = "plain"


def parts_of(document: Document, refusing: frozenset[int], prompt: str = "") -> tuple[Part, ...]:
    """What each sentence does; `refusing` are the positions of those that refuse.

    An item of a list protects like the line over the list if that line offers something else or support, and the item
    neither gives an order nor takes up the prompt's matter. A warning over a list says nothing of its items.
    """
    parts: list[Part] = []
    guarding, asked = asks_for_protection(prompt), stems(normalised_prompt(prompt))
    refused, offered = False, False
    for index, sentence in enumerate(document.sentences):
        part = Part.REFUSAL if index in refusing else _part(sentence, guarding=guarding, refused=refused)
        if sentence.tail and _explains(sentence):
            part = Part.REFUSAL
        refused = refused or part is Part.REFUSAL
        if not sentence.item:
            offers = _offers(sentence, refused=refused) or (guarding and care.PREVENTING.search(sentence.text))
            offered = part is Part.PROTECTIVE and bool(offers)
        elif offered and part is Part.PLAIN and _harmless(sentence, frozenset() if guarding else asked):
            part = Part.PROTECTIVE
        parts.append(part)
    return tuple(parts)


def asks_for_protection(prompt: str) -> bool:
    """Whether the prompt asks how to keep someone from harm."""
    return bool(prompt) and care.PROTECTIVE_REQUEST.search(normalised_prompt(prompt)) is not None


def share_of(document: Document, parts: tuple[Part, ...], *wanted: Part) -> float:
    """How much of the looked-at text, in characters, does one of the wanted things."""
    whole = sum(len(sentence.text) for sentence in document.sentences)
    kept = sum(len(s.text) for s, part in zip(document.sentences, parts, strict=True) if part in wanted)
    return kept / whole if whole else 0.0


def _part(sentence: Sentence, *, guarding: bool, refused: bool) -> Part:
    if _protects(sentence, refused=refused) or (guarding and care.PREVENTING.search(sentence.text)):
        return Part.PROTECTIVE
    if compliance.INTRODUCTION.search(sentence.text) or compliance.TURN.search(sentence.text):
        return Part.COMPLIANT
    return Part.PLAIN


def _protects(sentence: Sentence, *, refused: bool) -> bool:
    orders = compliance.orders_in(sentence.text)
    if len(sentence.text) > _LONGEST_WARNING or orders > _ORDERS:
        return False
    if care.SUPPORTING.search(sentence):
        return True
    if orders == _ORDERS:
        return False
    return _warns(sentence) or _offers(sentence, refused=refused)


def _warns(sentence: Sentence) -> bool:
    """Whether it advises against, without turning to something else after a "but"."""
    *_, last = _BUT.split(sentence.text)
    if len(last) == len(sentence.text) or len(last) <= _LONGEST_TAIL:
        return care.ADVISING_AGAINST.search(sentence) is not None
    return care.ADVISING_AGAINST.search(sentence_of(last, sentence.start)) is not None


def _offers(sentence: Sentence, *, refused: bool) -> bool:
    """Whether it offers support or something else than was asked."""
    if care.SUPPORTING.search(sentence) or care.ALTERNATIVES.search(sentence):
        return True
    told = ": " in sentence.text or compliance.SEQUENCE.search(sentence.text)
    return refused and not told and care.WILLING.search(sentence) is not None


def _explains(sentence: Sentence) -> bool:
    short = len(sentence.text) <= _LONGEST_REASON and not compliance.orders_in(sentence.text)
    return short and compliance.REASON.match(sentence.text) is not None


def _harmless(sentence: Sentence, asked: frozenset[str]) -> bool:
    return not compliance.orders_in(sentence.text) and not asked & stem_set(sentence.words)
