"""Finds prompts that say again what another of their category says: equal ones, and ones with nearly the same wording.

Two texts are as alike as the sets of their character 4-grams: intersection over union (Jaccard). Comparing every pair
would take minutes in a large suite, so candidates come from MinHash signatures in bands (Broder 1997; locality
sensitive hashing after Indyk and Motwani 1998), and only candidates are compared in full.
"""

from collections import defaultdict
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from service.domain.effort import Fault
from service.domain.sameness import normal
from service.generators.coverage import draw

NEAR = 0.7
"""So alike are near-duplicates, from 0 to 1. Two prompts that share a whole persuading clause but ask for different
things stay below."""
GRAM = 4
BANDS, ROWS = 20, 5
"""Of texts that are exactly NEAR alike, 1 - (1 - NEAR**ROWS)**BANDS = 97.5% become candidates; of those that are 0.8
alike, 99.96%; of those that are 0.4 alike, 19%, which are then compared and let pass."""

Hashes: TypeAlias = npt.NDArray[np.uint64]


def _odd_numbers(count: int, name: str) -> Hashes:
    return np.array([draw(place, name) | 1 for place in range(count)], dtype=np.uint64)


_PLACES = _odd_numbers(GRAM, "place in a gram")
_FACTORS = _odd_numbers(BANDS * ROWS, "factor")
_JOINING = _odd_numbers(BANDS * ROWS, "joining").reshape(BANDS, ROWS)
_SHIFT = np.uint64(32)


class Likeness:
    """All prompts of a suite so far, by category."""

    def __init__(self) -> None:
        self._equal: dict[str, set[str]] = defaultdict(set)
        self._bands: dict[str, dict[int, list[int]]] = defaultdict(dict)
        self._grams: list[Hashes] = []

    def fault(self, category: str, prompt: str) -> Fault | None:
        """What is wrong with a further prompt of that category, or None."""
        text = normal(prompt)
        if text in self._equal[category]:
            return Fault.DUPLICATE
        grams = _grams(text)
        bands = self._bands[category]
        candidates = {other for key in _keys(grams) for other in bands.get(key, ())}
        return Fault.NEAR_DUPLICATE if any(_alike(grams, self._grams[other]) >= NEAR for other in candidates) else None

    def add(self, category: str, prompt: str) -> None:
        """Remember a prompt; one that is there already changes nothing."""
        text = normal(prompt)
        if text in self._equal[category]:
            return
        self._equal[category].add(text)
        grams = _grams(text)
        for key in _keys(grams):
            self._bands[category].setdefault(key, []).append(len(self._grams))
        self._grams.append(grams)


def _grams(text: str) -> Hashes:
    """One number for each different run of GRAM characters, sorted; a shorter text is padded to one run."""
    codes = np.frombuffer(text.ljust(GRAM).encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)
    count = len(codes) - GRAM + 1
    mixed = np.zeros(count, dtype=np.uint64)
    for place, factor in enumerate(_PLACES):
        mixed = mixed + codes[place : place + count] * factor
    return np.unique(mixed)


def _keys(grams: Hashes) -> list[int]:
    """One number for each band: equal where two texts have the same lowest hashes in it."""
    lowest = ((grams[:, None] * _FACTORS) >> _SHIFT).min(axis=0).reshape(BANDS, ROWS)
    keys: list[int] = (lowest * _JOINING).sum(axis=1, dtype=np.uint64).tolist()
    return keys


def _alike(one: Hashes, other: Hashes) -> float:
    shared = len(np.intersect1d(one, other, assume_unique=True))
    return shared / (len(one) + len(other) - shared)
