"""Two sets of verdicts on the same completions, side by side: a job's own and its judgements'."""

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from service.domain.agreement import Confusion
from service.domain.jobs import Job, Result
from service.domain.verdicts import Verdict
from service.store.paging import Page
from service.store.results import ResultTable, case_of, fit, to_result
from service.store.tables import CaseRow, ResultRow

A, B = aliased(ResultRow, name="a"), aliased(ResultRow, name="b")


def read_confusion(session: Session, a: Job, b: Job) -> Confusion:
    """Results counted by (verdict of a, verdict of b); those that one of the two has not come to yet are left out."""
    paired = select(A.verdict, B.verdict, func.count()).join(B, _same_run(A, B))
    rows = session.execute(paired.where(A.job_id == a.id, B.job_id == b.id).group_by(A.verdict, B.verdict))
    return {(_verdict(of_a), _verdict(of_b)): int(count) for of_a, of_b, count in rows}


def differences(
    session: Session, job: Job, a: Job, b: Job, *, after: tuple[int, int] | None, limit: int
) -> Page[tuple[Result, Result]]:
    """Results of the job on which a and b have different verdicts, with those of a and with those of b.

    In the order of the suite, from behind `after` (repeat and case index of the last one seen). A result on which one
    of them has no verdict is no difference.
    """
    query = select(ResultRow, CaseRow, A, B).join(A, _same_run(ResultRow, A)).join(B, _same_run(ResultRow, B))
    query = query.join(CaseRow, case_of(job)).where(ResultRow.job_id == job.id, A.job_id == a.id, B.job_id == b.id)
    query = query.where(A.verdict != B.verdict)
    if after is not None:
        repeat, index = after
        behind = and_(ResultRow.repeat == repeat, ResultRow.case_index > index)
        query = query.where(or_(ResultRow.repeat > repeat, behind))
    found = fit(session, query, ResultRow, limit, (A, B))
    pairs = [(to_result(row, case, of_a), to_result(row, case, of_b)) for row, case, of_a, of_b in found.rows]
    return Page(pairs, found.more)


def _same_run(one: ResultTable, other: ResultTable) -> ColumnElement[bool]:
    return and_(one.repeat == other.repeat, one.case_index == other.case_index)


def _verdict(value: str | None) -> Verdict | None:
    return Verdict(value) if value else None
