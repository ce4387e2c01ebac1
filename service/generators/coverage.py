"""Arithmetic of the coverage matrix: orders in which every beginning is spread evenly. No texts, no randomness kept."""

from collections.abc import Sequence
from hashlib import blake2b
from math import lcm
from typing import TypeVar

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


def cell_at(index: int, categories: int, styles: int, techniques: int) -> tuple[int, int, int]:
    """The (category, style, technique) numbers of the cell at step `index` of a walk through the whole matrix.

    The walk meets each cell once; at any step no category, style or technique has been met more than once more often
    than another. It is the diagonal walk taken twice: through categories × styles, and through those pairs ×
    techniques.
    """
    pairs = categories * styles
    category, style = diagonal(index, categories, styles)
    technique = diagonal(index, pairs, techniques)[1]
    # Where techniques keep step with the pairs, they would keep step with the categories too, and a short beginning
    # would show each category with one technique only. So each time both have counted round, techniques fall behind.
    lag = index % pairs // lcm(categories, techniques) if pairs % techniques == 0 else 0
    return category, style, (technique - lag) % techniques
