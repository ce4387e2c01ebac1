"""A tenant's example requests: kept once a category and wording, listed, handed to generators."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from service.domain.examples import Example, NewExample
from service.domain.ids import new_id
from service.domain.sameness import fingerprint
from service.errors import NotFoundError
from service.store.paging import Position, newest_first
from service.store.session import changed, insert_into
from service.store.tables import Base, ExampleRow

EXAMPLES = Base.metadata.tables["examples"]


def add(session: Session, tenant: str, given: Iterable[NewExample]) -> int:
    """Keep examples; one that its category has already in the same words stays as it is. Gives how many were new."""
    now = datetime.now(UTC)
    rows = [
        {
            "id": new_id("ex"),
            "tenant": tenant,
            "category": example.category,
            "text": example.text,
            "fingerprint": fingerprint(example.text),
            "job_id": example.job_id,
            "result_id": example.result_id,
            "created_at": now,
        }
        for example in given
    ]
    if not rows:
        return 0
    # In one order, so that of two who add the same at once, one waits for the other and neither for both.
    rows.sort(key=lambda row: (row["category"], row["fingerprint"]))
    kept = insert_into(session, EXAMPLES).on_conflict_do_nothing().returning(EXAMPLES.c.id)
    return len(session.execute(kept, rows).all())


def get(session: Session, tenant: str, example_id: str) -> Example:
    """One example of a tenant.

    Raises:
        NotFoundError: the tenant has no such example.
    """
    row = session.scalar(select(ExampleRow).where(ExampleRow.id == example_id, ExampleRow.tenant == tenant))
    if row is None:
        raise _unknown(example_id)
    return _to_example(row)


def page(session: Session, tenant: str, category: str | None, *, after: Position | None, limit: int) -> list[Example]:
    """A tenant's examples, newest first, from behind `after` (creation time and id of the last one seen)."""
    query = select(ExampleRow).where(ExampleRow.tenant == tenant)
    if category is not None:
        query = query.where(ExampleRow.category == category)
    some = newest_first(query, ExampleRow.created_at, ExampleRow.id, after=after, limit=limit)
    return [_to_example(row) for row in session.scalars(some)]


def newest(session: Session, tenant: str, categories: Collection[str], most: int) -> Mapping[str, Sequence[str]]:
    """The texts of up to `most` examples of each of the categories, newest first."""
    age = func.row_number().over(
        partition_by=ExampleRow.category, order_by=(ExampleRow.created_at.desc(), ExampleRow.id.desc())
    )
    numbered = select(ExampleRow.category, ExampleRow.text, age.label("age"))
    own = numbered.where(ExampleRow.tenant == tenant, ExampleRow.category.in_(categories)).subquery()
    found: dict[str, list[str]] = defaultdict(list)
    for category, text in session.execute(
        select(own.c.category, own.c.text).where(own.c.age <= most).order_by(own.c.age)
    ):
        found[category].append(text)
    return found


def remove(session: Session, tenant: str, example_id: str) -> None:
    """Forget an example.

    Raises:
        NotFoundError: the tenant has no such example.
    """
    if not changed(session, delete(ExampleRow).where(ExampleRow.id == example_id, ExampleRow.tenant == tenant)):
        raise _unknown(example_id)


def _unknown(example_id: str) -> NotFoundError:
    return NotFoundError(f"There is no example {example_id}.", code="example_not_found")


def _to_example(row: ExampleRow) -> Example:
    return Example(row.id, row.tenant, row.category, row.text, row.job_id, row.result_id, row.created_at)
