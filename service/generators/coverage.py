"""Arithmetic of the coverage matrix: orders in which every beginning is spread evenly. No texts, no randomness kept."""

from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from math import lcm
from typing import TypeVar

from covertable import make

T = TypeVar("T")


def shuffled(items: Sequence[T], *seed: object) -> list[T]:
    """`items` in an order that depends on nothing but their number and the seed.

    Sorting by a digest gives the same order in every process and every Python version, which `hash` and
    `random.shuffle` do not promise.
    """
    order = sorted(range(len(items)), key=lambda place: draw(place, *seed))
    return [items[place] for place in order]


def draw(place: int, *seed: object) -> int:
    """A number of 64 bits that looks random and is the same for the same arguments everywhere."""
    return int.from_bytes(blake2b(repr((place, *seed)).encode(), digest_size=8).digest(), "big")


def diagonal(index: int, rows: int, columns: int) -> tuple[int, int]:
    """The place in a table visited at step `index` of a walk along its diagonals, wrapping at the edges.

    The walk meets each of the `rows` × `columns` places once. At any step no row has been met more than once more
    often than another, and the same holds for columns: within `lcm(rows, columns)` steps both simply count round, and
    then the walk moves on to the next diagonal.
    """
    index %= rows * columns
    return index % rows, (index + index // lcm(rows, columns)) % columns


def cell_at(index: int, categories: int, styles: int, techniques: int, languages: int = 1) -> tuple[int, int, int, int]:
    """The (category, style, technique, language) numbers of the cell at step `index` of a walk through the matrix.

    The walk meets each cell once; at any step no value of a feature has been met more than once more often than
    another. It is the diagonal walk taken three times: through categories × styles, through those pairs × techniques,
    and through those triples × languages.
    """
    triples = categories * styles * techniques
    triple, language = diagonal(index, triples, languages)
    # As below: where languages keep step with the triples they would keep step with the styles too.
    lag = triple // lcm(styles, languages) if triples % languages == 0 else 0
    return *_triple_at(triple, categories, styles, techniques), (language - lag) % languages


def _triple_at(index: int, categories: int, styles: int, techniques: int) -> tuple[int, int, int]:
    pairs = categories * styles
    category, style = diagonal(index, categories, styles)
    technique = diagonal(index, pairs, techniques)[1]
    # Where techniques keep step with the pairs, they would keep step with the categories too, and a short beginning
    # would show each category with one technique only. So each time both have counted round, techniques fall behind.
    lag = index % pairs // lcm(categories, techniques) if pairs % techniques == 0 else 0
    return category, style, (technique - lag) % techniques


@lru_cache(maxsize=16)
def sample(sizes: tuple[int, int, int, int], strength: int, seed: int) -> tuple[tuple[int, int, int, int], ...]:
    """Few cells, none twice, in which every combination of the values of any `strength` features occurs.

    The most telling cells come first. The same arguments give the same cells in every process: covertable orders its
    choices by a hash (FNV-1a) of its own, salted with the seed. Kept, as a size is asked for before the cells are.
    """
    rows = make([list(range(size)) for size in sizes], strength=strength, salt=str(seed))
    return tuple((category, style, technique, language) for category, style, technique, language in rows)
