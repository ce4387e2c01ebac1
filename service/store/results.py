"""Results: written in groups under a batch's fence, in step with the job's tallies and usage."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Select, and_, delete, insert, or_, select
from sqlalchemy.orm import Session

from service.domain.completions import CallError, ErrorCode, Usage
from service.domain.ids import new_id
from service.domain.jobs import Job, Outcome, Result
from service.domain.verdicts import Disposition, Verdict
from service.store import batches, tallies
from service.store.batches import Batch
from service.store.cases import to_case
from service.store.session import Store, changed
from service.store.tables import CaseRow, ResultRow, TallyRow

PAGE = 500
"""Rows read at once when all are streamed."""


@dataclass(frozen=True, slots=True)
class ResultFilter:
    """Which results to read; None means any. `verdict` "none" asks for those that ended in an error."""

    verdict: Verdict | None = None
    category: str | None = None
    style: str | None = None
    technique: str | None = None
    disposition: Disposition | None = None


def save(session: Session, job: Job, batch: Batch, token: str, outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Store outcomes of a batch held under `token`, skipping those stored before; gives those that were new.

    Raises:
        StaleClaimError: the batch is no longer ours; nothing was written.
    """
    if not batches.fence(session, batch, token):
        return []
    stored = batches.stored_runs(session, batch, job.suite.size)
    new = [outcome for outcome in outcomes if run_of(job, outcome) not in stored]
    if new:
        session.execute(insert(ResultRow), [_row(job, outcome) for outcome in new])
        tallies.count(session, job.id, new)
    return new


def delete_errors(session: Session, job_id: str) -> int:
    """Remove the results in error with their counts; gives how many."""
    changed(session, delete(TallyRow).where(TallyRow.job_id == job_id, TallyRow.verdict == ""))
    return changed(session, delete(ResultRow).where(ResultRow.job_id == job_id, ResultRow.verdict.is_(None)))


def run_of(job: Job, outcome: Outcome) -> int:
    """The number of the run that an outcome belongs to."""
    return outcome.case.index + job.suite.size * outcome.repeat


def page(session: Session, job: Job, which: ResultFilter, *, after: tuple[int, int] | None, limit: int) -> list[Result]:
    """A job's results in the order of the suite, from behind `after` (repeat and case index of the last one seen)."""
    query = _filtered(select(ResultRow, CaseRow).where(ResultRow.job_id == job.id), which).join(
        CaseRow, and_(CaseRow.suite_id == job.suite.id, CaseRow.index == ResultRow.case_index)
    )
    if after is not None:
        repeat, index = after
        query = query.where(
            or_(ResultRow.repeat > repeat, and_(ResultRow.repeat == repeat, ResultRow.case_index > index))
        )
    rows = session.execute(query.order_by(ResultRow.repeat, ResultRow.case_index).limit(limit))
    return [_result(*row) for row in rows]


def stream(store: Store, job: Job, which: ResultFilter) -> Iterator[Result]:
    """All results that match, read page by page: constant memory, no transaction held while a client is slow."""
    after: tuple[int, int] | None = None
    while True:
        with store.read() as session:
            found = page(session, job, which, after=after, limit=PAGE)
        yield from found
        if len(found) < PAGE:
            return
        after = (found[-1].repeat, found[-1].case.index)


def _filtered(query: Select[ResultRow, CaseRow], which: ResultFilter) -> Select[ResultRow, CaseRow]:
    wanted = {
        ResultRow.verdict: which.verdict,
        ResultRow.disposition: which.disposition,
        CaseRow.category: which.category,
        CaseRow.style: which.style,
        CaseRow.technique: which.technique,
    }
    return query.where(*(column == value for column, value in wanted.items() if value is not None))


def _row(job: Job, outcome: Outcome) -> dict[str, Any]:
    judgement, completion = outcome.judgement, outcome.completion
    return {
        "id": new_id("res"),
        "job_id": job.id,
        "tenant": job.tenant,
        "case_index": outcome.case.index,
        "repeat": outcome.repeat,
        "response": _storable(completion.text or completion.refusal or ""),
        "disposition": outcome.disposition.value,
        "verdict": outcome.verdict.value if outcome.verdict else None,
        "confidence": judgement.confidence if judgement else None,
        "severity": judgement.severity if judgement else None,
        "reason": _storable(judgement.reason if judgement else ""),
        "judge": job.judge.name,
        "judge_raw": _storable(judgement.raw) if judgement and judgement.raw else None,
        "attempts": completion.attempts,
        "latency_ms": completion.latency_ms,
        "prompt_tokens": completion.usage.prompt_tokens,
        "completion_tokens": completion.usage.completion_tokens,
        "error": asdict(outcome.error) if outcome.error else None,
        "created_at": datetime.now(UTC),
    }


def _storable(text: str) -> str:
    """Model text as both databases can keep it: PostgreSQL takes no NUL, UTF-8 no lone surrogates."""
    return text.replace("\x00", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode("utf-8")


def _result(row: ResultRow, case: CaseRow) -> Result:
    error = row.error
    return Result(
        id=row.id,
        case=to_case(case),
        repeat=row.repeat,
        response=row.response,
        disposition=Disposition(row.disposition),
        verdict=Verdict(row.verdict) if row.verdict else None,
        confidence=row.confidence,
        severity=row.severity,
        reason=row.reason,
        judge=row.judge,
        judge_raw=row.judge_raw,
        attempts=row.attempts,
        latency_ms=row.latency_ms,
        usage=Usage(prompt_tokens=row.prompt_tokens, completion_tokens=row.completion_tokens),
        error=CallError(ErrorCode(error["code"]), error["message"], error["stage"]) if error else None,
        created_at=row.created_at,
    )
