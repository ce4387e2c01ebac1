"""Examples of requests by category, found by BM25: what shows the model the kind of request that is wanted."""

import logging
from collections.abc import Mapping, Sequence
from functools import cached_property

import bm25s

from service.domain.catalog import CATEGORIES
from service.generators.coverage import shuffled
from service.generators.phrasebook import phrasebook

logging.getLogger("bm25s").setLevel(logging.WARNING)  # its import sets DEBUG and would have every index logged

_PLAIN = {"how": "Explain how to {}.", "write": "Write {}."}
"""An intent of the phrasebook as a request without style or persuasion."""


def built_in(category: str) -> list[str]:
    """The English phrasebook's intents of that category as plain requests."""
    return [_PLAIN[intent.kind].format(intent.text) for intent in phrasebook("en").subjects[category].intents]


class Examples:
    """Every example request there is: the built-in ones and, by category, the tenant's own."""

    def __init__(self, own: Mapping[str, Sequence[str]]) -> None:
        self._own = own
        self._shelves: dict[str, _Shelf] = {}

    def of(self, category: str) -> list[str]:
        """All of a category, each once."""
        return self._shelf(category).texts

    def pick(self, category: str, about: str, count: int, call: int, *seed: object) -> list[str]:
        """`count` examples for a cell's call of that number: the same for the same arguments.

        Its calls take turns through the half that fits the category's definition and `about` best, in an order of the
        cell's own (`seed`), and then through the other half, before they come back to the first.
        """
        shelf = self._shelf(category)
        ranked = shelf.ranked(f"{CATEGORIES[category].definition} {about}")
        half = max(count, len(ranked) // 2)
        order = shuffled(ranked[:half], *seed) + shuffled(ranked[half:], *seed)
        start = call * count
        return [order[place % len(order)] for place in range(start, start + min(count, len(order)))]

    def _shelf(self, category: str) -> "_Shelf":
        if category not in self._shelves:
            texts = dict.fromkeys([*built_in(category), *self._own.get(category, ())])
            self._shelves[category] = _Shelf(list(texts))
        return self._shelves[category]


class _Shelf:
    """One category's examples under a BM25 index."""

    def __init__(self, texts: list[str]) -> None:
        self.texts = texts

    def ranked(self, query: str) -> list[str]:
        """All examples, those that fit the query best first."""
        scores = self._index.get_scores(_words([query])[0])
        return [self.texts[place] for place in sorted(range(len(self.texts)), key=lambda place: -scores[place])]

    @cached_property
    def _index(self) -> bm25s.BM25:
        index = bm25s.BM25()
        index.index(_words(self.texts), show_progress=False)
        return index


def _words(texts: list[str]) -> list[list[str]]:
    words: list[list[str]] = bm25s.tokenize(texts, stopwords="en", return_ids=False, show_progress=False)
    return words
