"""Pages: of what was made at some time, newest first; and of what holds long texts, bounded by those too."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import Any, Generic, TypeAlias, TypeVar

from sqlalchemy import Select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

Position: TypeAlias = tuple[datetime, str]
"""Creation time and id of the last one seen."""

MOST_TEXT = 2**19
"""Characters of text that are read, written or sent at once, however many rows; a single row may have more."""

S = TypeVar("S", bound=Select[*tuple[Any, ...]])
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some rows, and whether there are more behind them. There are rows if there are more."""

    rows: list[T]
    more: bool


def fitting(sizes: Sequence[int], limit: int) -> int:
    """How many rows, whose texts have so many characters, make a page: at most `limit`, and one if there is any."""
    within = sum(upto <= MOST_TEXT for upto in accumulate(sizes[:limit]))
    return max(within, min(1, len(sizes)))


def grouped(rows: Iterable[T], size: Callable[[T], int], most: int) -> Iterator[list[T]]:
    """The rows in groups of at most `most`, each ended by the row with which its texts reach MOST_TEXT characters."""
    group: list[T] = []
    length = 0
    for row in rows:
        group.append(row)
        length += size(row)
        if len(group) == most or length >= MOST_TEXT:
            yield group
            group, length = [], 0
    if group:
        yield group


def newest_first(
    query: S,
    made: InstrumentedAttribute[datetime],
    row_id: InstrumentedAttribute[str],
    *,
    after: Position | None,
    limit: int,
) -> S:
    """Up to `limit` of a query's rows from behind `after`; the id decides between those of one moment."""
    if after is not None:
        query = query.where(tuple_(made, row_id) < after)
    return query.order_by(made.desc(), row_id.desc()).limit(limit)
