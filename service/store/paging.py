"""Pages of what was made at some time: newest first, stable while more is made."""

from datetime import datetime
from typing import Any, TypeAlias, TypeVar

from sqlalchemy import Select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

Position: TypeAlias = tuple[datetime, str]
"""Creation time and id of the last one seen."""

S = TypeVar("S", bound=Select[*tuple[Any, ...]])


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
