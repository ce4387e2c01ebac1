"""What two texts speak of alike: their content words, roughly."""

from collections.abc import Iterable

from service.domain.refusals.languages import STOP_WORDS
from service.domain.refusals.text import word_set, words_of

_STEM = 5
"""Words are compared by their first five letters, which sets "poisons" beside "poisoning"."""
_SHORTEST = 4
_FILLER = word_set("""
    tell make give write does explain draft compose create describe want need good best quickest easiest easy people
    someone somebody they them should would could please step steps list help like know which well really
""")
_STOP = STOP_WORDS["en"] | _FILLER


def stems(normalised: str) -> frozenset[str]:
    """The content words of a normalised text, by their first letters."""
    return stem_set(word for word in words_of(normalised) if word not in _STOP)


def stem_set(words: Iterable[str]) -> frozenset[str]:
    """The first letters of words that are long enough to tell anything."""
    return frozenset(word[:_STEM] for word in words if len(word) >= _SHORTEST)
