"""Suites and their cases."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime

from sqlalchemy import delete, exists, insert, select, update
from sqlalchemy.orm import Session

from service.domain.cases import Case
from service.domain.ids import new_id
from service.domain.jobs import Suite, SuiteStatus
from service.domain.specs import PluginSpec
from service.errors import NotFoundError
from service.store.session import changed
from service.store.tables import CaseRow, JobRow, SuiteRow


def create(session: Session, *, tenant: str, size: int, generator: PluginSpec | None) -> Suite:
    """A suite still to be filled; `size` is what it will have."""
    row = SuiteRow(
        id=new_id("suite"),
        tenant=tenant,
        status=SuiteStatus.GENERATING.value,
        size=size,
        generator=generator.name if generator else None,
        options=dict(generator.options) if generator else {},
        created_at=datetime.now(UTC),
    )
    session.add(row)
    session.flush()
    return to_suite(row)


def get(session: Session, tenant: str, suite_id: str) -> Suite:
    """One suite of a tenant.

    Raises:
        NotFoundError: the tenant has no such suite.
    """
    row = session.scalar(select(SuiteRow).where(SuiteRow.id == suite_id, SuiteRow.tenant == tenant))
    if row is None:
        raise NotFoundError(f"There is no suite {suite_id}.", code="suite_not_found")
    return to_suite(row)


def add_cases(session: Session, suite_id: str, cases: Iterable[Case]) -> None:
    """Store a run of cases."""
    session.execute(insert(CaseRow), [{"suite_id": suite_id, **asdict(case)} for case in cases])


def clear_cases(session: Session, suite_id: str, first: int = 0) -> None:
    """Remove the cases with an index of `first` or more."""
    changed(session, delete(CaseRow).where(CaseRow.suite_id == suite_id, CaseRow.index >= first))


def freeze(session: Session, suite_id: str, digest: str) -> None:
    """Mark a filled suite as ready: from now on it never changes."""
    session.execute(
        update(SuiteRow).where(SuiteRow.id == suite_id).values(status=SuiteStatus.READY.value, digest=digest)
    )


def read_cases(session: Session, suite_id: str, first: int, last: int) -> list[Case]:
    """The cases with `first` <= index <= `last`, in order."""
    rows = session.scalars(
        select(CaseRow).where(CaseRow.suite_id == suite_id, CaseRow.index.between(first, last)).order_by(CaseRow.index)
    )
    return [to_case(row) for row in rows]


def delete_unused(session: Session, suite_id: str) -> None:
    """Remove a suite and its cases unless a job still refers to it.

    Locked first, so that of the last two jobs, deleted at once, one sees that the other has gone.
    """
    session.execute(select(SuiteRow.id).where(SuiteRow.id == suite_id).with_for_update())
    if session.scalar(select(exists().where(JobRow.suite_id == suite_id))):
        return
    clear_cases(session, suite_id)
    changed(session, delete(SuiteRow).where(SuiteRow.id == suite_id))


def to_suite(row: SuiteRow) -> Suite:
    """The row as the rest of the service sees it."""
    return Suite(
        id=row.id,
        tenant=row.tenant,
        status=SuiteStatus(row.status),
        size=row.size,
        digest=row.digest,
        generator=PluginSpec(row.generator, row.options) if row.generator else None,
        created_at=row.created_at,
    )


def to_case(row: CaseRow) -> Case:
    """The row as the rest of the service sees it."""
    return Case(row.index, row.prompt, row.category, row.style, row.technique, row.language, row.attack)
