"""Stored completions, read back for another judge."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.domain.cases import Case
from service.domain.completions import Completion
from service.domain.jobs import Outcome
from service.domain.verdicts import Disposition
from service.store.results import error_of
from service.store.tables import ResultRow


def read_outcomes(session: Session, job_id: str, repeat: int, cases: Sequence[Case]) -> list[Outcome]:
    """What came of cases that follow each other, as a judge first saw it: with no verdict, and at no cost."""
    by_index = {case.index: case for case in cases}
    of_cases = (ResultRow.job_id == job_id, ResultRow.repeat == repeat)
    span = ResultRow.case_index.between(cases[0].index, cases[-1].index)
    rows = session.scalars(select(ResultRow).where(*of_cases, span).order_by(ResultRow.case_index))
    return [_outcome(row, by_index[row.case_index]) for row in rows]


def _outcome(row: ResultRow, case: Case) -> Outcome:
    disposition = Disposition(row.disposition)
    completion = Completion(
        text=row.response,
        refusal=row.refusal,
        finish_reason=row.finish_reason,
        blocked=disposition is Disposition.BLOCKED,
        blocked_reason=row.blocked_reason,
        truncated=row.truncated,
        error=error_of(row) if disposition is Disposition.ERROR else None,
        attempts=0,
    )
    return Outcome(case, row.repeat, completion, disposition, None)
