"""The cases of suites: stored in any order while a suite is made, read in order ever after."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from service.domain.cases import Case
from service.store.paging import Page, fitting
from service.store.session import Store, changed, insert_into
from service.store.tables import Base, CaseRow

CASES = Base.metadata.tables["cases"]


@dataclass(frozen=True, slots=True)
class Cell:
    """How many cases have the same features."""

    category: str | None
    style: str | None
    technique: str | None
    language: str
    count: int


CHUNK = 2_000
"""Most cases read or written at once, so that memory stays flat and other writers get their turn."""


def add(session: Session, suite_id: str, cases: Iterable[Case]) -> None:
    """Store cases; one whose index is there already stays as it is, as when a commit's answer was lost."""
    rows = [{"suite_id": suite_id, **asdict(case)} for case in cases]
    session.execute(insert_into(session, CASES).on_conflict_do_nothing(), rows)


def clear(session: Session, suite_id: str) -> None:
    """Remove the cases of a suite."""
    changed(session, delete(CaseRow).where(CaseRow.suite_id == suite_id))


def read(session: Session, suite_id: str, first: int, last: int) -> list[Case]:
    """The cases with `first` <= index <= `last`, in order."""
    rows = session.scalars(
        select(CaseRow).where(CaseRow.suite_id == suite_id, CaseRow.index.between(first, last)).order_by(CaseRow.index)
    )
    return [to_case(row) for row in rows]


def page(session: Session, suite_id: str, *, after: int, limit: int) -> Page[Case]:
    """Up to `limit` cases behind the index `after`, in order, and fewer where their prompts are long."""
    sizes = select(CaseRow.index, func.length(CaseRow.prompt)).where(CaseRow.suite_id == suite_id)
    sizes = sizes.where(CaseRow.index > after).order_by(CaseRow.index).limit(limit + 1)
    keys = session.execute(sizes).all()
    taken = fitting([length for _, length in keys], limit)
    fits = (CaseRow.suite_id == suite_id, CaseRow.index.in_([index for index, _ in keys[:taken]]))
    rows = [to_case(row) for row in session.scalars(select(CaseRow).where(*fits).order_by(CaseRow.index))]
    return Page(rows, bool(rows) and len(keys) > taken)


def stream(store: Store, suite_id: str) -> Iterator[list[Case]]:
    """All cases in order, a chunk at a time, each read in a session of its own."""
    last = -1
    while True:
        with store.read() as session:
            chunk = page(session, suite_id, after=last, limit=CHUNK)
        if chunk.rows:
            yield chunk.rows
        if not chunk.more:
            return
        last = chunk.rows[-1].index


def close_gaps(session: Session, suite_id: str) -> int:
    """Number the cases from 0 without gaps, their order kept; gives how many there are."""
    indices = list(session.scalars(select(CaseRow.index).where(CaseRow.suite_id == suite_id).order_by(CaseRow.index)))
    for place, index in enumerate(indices):
        if place != index:
            moved = update(CaseRow).where(CaseRow.suite_id == suite_id, CaseRow.index == index)
            changed(session, moved.values(index=place))
    return len(indices)


def count_duplicates(session: Session, suite_id: str) -> int:
    """How many cases have the very prompt of another before them."""
    counted = select(func.count() - func.count(CaseRow.prompt.distinct())).where(CaseRow.suite_id == suite_id)
    return session.scalar(counted) or 0


def by_cell(session: Session, suite_id: str) -> list[Cell]:
    """How many cases stand in each cell that holds any."""
    features = (CaseRow.category, CaseRow.style, CaseRow.technique, CaseRow.language)
    counted = select(*features, func.count()).where(CaseRow.suite_id == suite_id)
    return [Cell(*row) for row in session.execute(counted.group_by(*features).order_by(*features))]


def to_case(row: CaseRow) -> Case:
    """The row as the rest of the service sees it."""
    return Case(row.index, row.prompt, row.category, row.style, row.technique, row.language, row.attack, row.provenance)
