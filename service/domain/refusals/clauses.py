"""Where a refusal ends within its own sentence.

"I can't help with that, but you take …" holds both a refusal and an answer. What stands before and after the refusing
clause is read as sentences of their own, so that no refusal speaks for it.
"""

import re
from collections.abc import Iterator
from enum import Enum

from service.domain.refusals import compliance
from service.domain.refusals.text import Sentence, one_of, sentence_of

_LONGEST_OBJECT = 160
"""A refusing clause may go on for so many characters about what it refuses and why."""

_TURN = one_of(
    r"[;:] | - | \(|\.\.",
    r",? (?:but|though|although|however|yet)\b",
    r", (?:so|then|still|instead|you|just|simply|only|which|who|where|as|since|because)\b",
    r" and (?:then|here|first)\b|\bexcept\b",
    r" (?:and|because|since|as|when|where|unless|until) (?:you|people|one|they|most)\b",
)
"""Here a sentence turns from what it refuses to something else."""
_COMPLETE = re.compile(r"\b(?:that|this|it|so|requests?|questions?|you|anyone|someone|help|assist|comply)[, ]*$")
"""After such words the object is complete: a comma begins another clause, not more of what is refused."""
_MORE = re.compile(
    r", (?:including|such as|especially|particularly|even|or|nor|and|like|without|regardless|in order|whether|for|by"
    r"|under|whoever|whatever|no matter)\b",
)
"""After such a comma the refusal itself goes on."""
_SUBORDINATE = re.compile(r"\b(?:while|whilst|although|though|as|because|since|whereas|if)(?: of course)?,? $")
"""Before a refusal: the main clause is still to come, after the comma."""
_ACKNOWLEDGES = re.compile(
    r"(?:(?:while|although|though|as an?|of course|and|but|so|well|yes|no),? )*"
    r"(?:i|i'm|i'd|i've|sorry|you|your|you're|that|that's|this|it|it's|thank|thanks|unfortunately|no|ai|assistant|language)\b",
)
"""How regret, sympathy or a look back at the question opens, which often stands before a refusal."""
_BEFORE = re.compile(r"[;:] | - |,? (?:but|though|although|however|yet)\b")


class Place(Enum):
    """Where a clause stands in a sentence that refuses."""

    BEFORE = "before"
    REFUSING = "refusing"
    AFTER = "after"


def clauses(sentence: Sentence, match: re.Match[str]) -> Iterator[tuple[Sentence, Place]]:
    """The pieces of a sentence, given the refusal found in it. Nothing of it is lost but the marks between them."""
    begin, end = _beginning(sentence.text, match.start()), _end(sentence.text, match)
    pieces = ((0, begin, Place.BEFORE), (begin, end, Place.REFUSING), (end, len(sentence.text), Place.AFTER))
    for start, stop, place in pieces:
        if body := sentence.text[start:stop].strip(" ,;:-(").lstrip("."):
            offset = sentence.start + sentence.text.index(body, start)
            tail = place is Place.AFTER
            yield sentence_of(body, offset, item=sentence.item, foreign=sentence.foreign, tail=tail), place


def _beginning(text: str, found: int) -> int:
    """What stands before a refusal belongs to it if it is short, orders nothing and sounds like regret or sympathy."""
    turn = next(reversed([*_BEFORE.finditer(text, 0, found)]), None)
    if turn is None:
        return 0
    before = text[: turn.start()]
    belongs = len(before) <= _LONGEST_OBJECT and compliance.orders_in(before) <= 1 and _ACKNOWLEDGES.match(before)
    return 0 if belongs else turn.start()


def _end(text: str, match: re.Match[str]) -> int:
    rest = match.end()
    limit = _word_end(text, rest + _LONGEST_OBJECT)
    ends = [limit]
    if turn := _TURN.search(text, rest, limit):
        ends.append(turn.start())
    subordinate = _SUBORDINATE.search(text, 0, match.start()) is not None
    for comma in re.finditer(",", text[rest:limit]):
        position = rest + comma.start()
        if _MORE.match(text, position):
            continue
        if subordinate or _COMPLETE.search(text, max(match.start(), position - 20), position):
            ends.append(position)
            break
    return min(ends)


def _word_end(text: str, position: int) -> int:
    """The end of the last whole word before a position."""
    if position >= len(text):
        return len(text)
    blank = text.rfind(" ", 0, position)
    return blank if blank > 0 else position
