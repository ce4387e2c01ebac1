"""What a style does to words: replaces them, or misspells them. Pure functions of the text, so suites repeat."""

import re
from collections.abc import Callable, Mapping
from random import Random

Rewriter = Callable[[str], str]

_VOWEL = re.compile(r"(?!uni|one|use)[aeiou]", re.IGNORECASE)
"""The start of a word that takes "an"."""


def substitute(words: Mapping[str, str], patterns: Mapping[str, str], articles: str | None = None) -> Rewriter:
    """A rewriter that replaces whole words or phrases, the longest first, and then regular expressions in order.

    Words with a capital are left alone, being names or the style's own. `articles` is a regular expression for those
    that are made to fit a new word after them, as English `an?`.
    """
    any_word = _any_of(words, articles or "(?!)")
    compiled = [(re.compile(pattern), replacement) for pattern, replacement in patterns.items()]

    def replace(match: re.Match[str]) -> str:
        article, replacement = match["article"], words[match["word"]]
        return f"{_fitting(article, replacement)} {replacement}" if article else replacement

    def rewrite(text: str) -> str:
        text = any_word.sub(replace, text)
        for pattern, replacement in compiled:
            text = pattern.sub(replacement, text)
        return text

    return rewrite


def _any_of(words: Mapping[str, str], articles: str) -> re.Pattern[str]:
    longest_first = sorted(words, key=lambda word: (-len(word), word))
    either = "|".join(map(re.escape, longest_first)) or "(?!)"
    return re.compile(rf"(?<![\w'-])(?:(?P<article>{articles}) )?(?P<word>{either})(?![\w'-])")


def _fitting(article: str, word: str) -> str:
    return article[0] + ("n" if _VOWEL.match(word) else "")


_LONG_WORD = re.compile(r"[A-Za-z]{4,}")

_LONGEST_CORRECT_RUN = 2
"""Of the words long enough, how many in a row stay right: misspelling shows in every part of a sentence."""

_LONG_ENOUGH_TO_LOSE_A_LETTER = 7
"""Shorter words would turn into others: place, pace."""

_SOUNDS_LIKE = {
    "tion": "shun",
    "able": "abel",
    "ence": "ance",
    "ance": "ence",
    "ph": "f",
    "ie": "ei",
    "ei": "ie",
    "ea": "ee",
    "ee": "ea",
    "ck": "k",
    "ss": "s",
    "ll": "l",
    "tt": "t",
    "pp": "p",
}
"""Spellings that sound alike."""


def misspell(text: str) -> str:
    """`text` with about every other of its longer words spelled wrongly: in the same way every time.

    The first letter of a word is left alone, which keeps the text readable.
    """
    # Only Random.random() is promised to give the same numbers in every Python version.
    dice = Random(text).random
    correct_run = 0

    def replace(match: re.Match[str]) -> str:
        nonlocal correct_run
        if correct_run < _LONGEST_CORRECT_RUN and dice() < 2 / 3:
            correct_run += 1
            return match[0]
        correct_run = 0
        return _misspelt(match[0], dice)

    return _LONG_WORD.sub(replace, text)


def _misspelt(word: str, dice: Callable[[], float]) -> str:
    slips = [word[0] + word[1:].replace(right, wrong, 1) for right, wrong in _SOUNDS_LIKE.items()]
    for at in range(1, len(word) - 1):
        slips.append(word[:at] + word[at + 1] + word[at] + word[at + 2 :])
        if len(word) >= _LONG_ENOUGH_TO_LOSE_A_LETTER:
            slips.append(word[:at] + word[at + 1 :])
        if word[at] not in (word[at - 1], word[at + 1]):
            slips.append(word[: at + 1] + word[at:])
    slips = [slip for slip in slips if slip != word]
    return slips[int(dice() * len(slips))]


_SLIPS_MADE = 2 / 3


def slip(slips: Mapping[str, str]) -> Rewriter:
    """A rewriter that makes about three of four slips there is room for, the first always and at least every other.

    For languages in which one mistakes certain letters (Spanish) or characters (Japanese) rather than their order. The
    slips are regular expressions without groups of their own; where two fit, the earlier one counts.
    """
    any_slip = re.compile("|".join(f"({right})" for right in slips))
    wrong = tuple(slips.values())

    def rewrite(text: str) -> str:
        dice = Random(text).random
        made = False

        def replace(match: re.Match[str]) -> str:
            nonlocal made
            made = not made or dice() < _SLIPS_MADE
            return wrong[(match.lastindex or 1) - 1] if made else match[0]

        return any_slip.sub(replace, text)

    return rewrite
