"""Results: written in groups under a batch's fence, in step with the job's tallies and usage."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Select, and_, delete, func, insert, literal, or_, select
from sqlalchemy.orm import Session, aliased
from sqlalchemy.orm.util import AliasedClass

from service.domain.completions import CallError, ErrorCode, Usage
from service.domain.ids import new_id
from service.domain.jobs import Job, Outcome, Result
from service.domain.verdicts import Disposition, Verdict
from service.store import batches, tallies
from service.store.batches import Batch
from service.store.cases import to_case
from service.store.paging import Page, fitting
from service.store.session import Store, changed
from service.store.tables import CaseRow, ResultRow, TallyRow

PAGE = 500
"""Most rows read at once when all are streamed."""

Rows = Select[*tuple[Any, ...]]
"""A row of a job and its case, and of a judgement its own row too."""

ResultTable: TypeAlias = type[ResultRow] | AliasedClass[ResultRow]

Judged = aliased(ResultRow, name="judged")
"""The rows of a judgement, beside those of the job whose completions they judge."""


@dataclass(frozen=True, slots=True)
class ResultFilter:
    """Which results to read; None means any. `verdict` "none" asks for those that ended in an error."""

    verdict: Verdict | None = None
    category: str | None = None
    style: str | None = None
    technique: str | None = None
    language: str | None = None
    disposition: Disposition | None = None


@dataclass(frozen=True, slots=True)
class Saved:
    """What came of storing outcomes of a batch."""

    new: list[Outcome]
    """Those that had not been stored before."""
    done: bool
    """Whether the batch has all its results with that, and is closed."""


def save(session: Session, job: Job, batch: Batch, token: str, outcomes: Sequence[Outcome]) -> Saved | None:
    """Store outcomes of a batch held under `token`, skipping those stored before, and close it when they are all.

    None means that the batch is done or another worker's by now, so that nothing was written.

    Raises:
        StaleClaimError: the job was stopped or deleted.
    """
    if not batches.fence(session, batch, token):
        return None
    stored = batches.stored_runs(session, batch, job.suite.size)
    new = [outcome for outcome in outcomes if run_of(job, outcome) not in stored]
    if new:
        session.execute(insert(ResultRow), [_row(job, outcome) for outcome in new])
        tallies.count(session, job.id, new)
    done = len(stored) + len(new) == batch.last - batch.first + 1
    if done:
        batches.close(session, batch)
    return Saved(new, done)


def delete_errors(session: Session, job_id: str, *, of_judge: bool = False) -> int:
    """Remove the results in error with their counts, or only those where it was the judge's; gives how many."""
    counts = [TallyRow.job_id == job_id, TallyRow.verdict == ""]
    rows = [ResultRow.job_id == job_id, ResultRow.verdict.is_(None)]
    if of_judge:
        counts.append(TallyRow.disposition != Disposition.ERROR.value)
        rows.append(ResultRow.disposition != Disposition.ERROR.value)
    changed(session, delete(TallyRow).where(*counts))
    return changed(session, delete(ResultRow).where(*rows))


def run_of(job: Job, outcome: Outcome) -> int:
    """The number of the run that an outcome belongs to."""
    return outcome.case.index + job.suite.size * outcome.repeat


def page(session: Session, job: Job, which: ResultFilter, *, after: tuple[int, int] | None, limit: int) -> Page[Result]:
    """A job's results in the order of the suite, from behind `after` (repeat and case index of the last one seen).

    Of a judgement: the results of the job that it judges, with its verdicts in place of the job's own.
    """
    query = _judged_again(job) if job.completions_of else _own(job)
    verdicts = Judged if job.completions_of else ResultRow
    if which.verdict is not None:
        query = query.where(verdicts.verdict == which.verdict)
    if after is not None:
        repeat, index = after
        query = query.where(or_(verdicts.repeat > repeat, and_(verdicts.repeat == repeat, verdicts.case_index > index)))
    found = fit(session, _filtered(query, which), verdicts, limit)
    return Page([to_result(*row) for row in found.rows], found.more)


def fit(
    session: Session, query: Rows, by: ResultTable, limit: int, judged: Sequence[ResultTable] = ()
) -> Page[tuple[Any, ...]]:
    """The first rows of a query in the order of the suite: at most `limit`, and fewer where their texts are long.

    What fits is known before any text is read; what is stored in that moment may push the last ones to the next page.
    `by`: the table among the query's that has each of its rows once; `judged`: those with the verdicts, if others.
    """
    order = (by.repeat, by.case_index)
    given = (ResultRow.response, ResultRow.refusal, ResultRow.finish_reason, ResultRow.blocked_reason, CaseRow.prompt)
    said = (text for row in judged or (by,) for text in (row.reason, row.judge_raw))
    size = sum((func.coalesce(func.length(text), 0) for text in (*given, *said)), literal(0))
    sizes = query.with_only_columns(by.id, size, maintain_column_froms=True).order_by(*order).limit(limit + 1)
    keys = session.execute(sizes).all()
    taken = fitting([length for _, length in keys], limit)
    rows = session.execute(query.add_columns(by.id).order_by(*order).limit(taken)).all() if taken else []
    more = bool(rows) and (len(keys) > taken or rows[-1][-1] != keys[-1][0])
    return Page([tuple(row)[:-1] for row in rows], more)


def stream(store: Store, job: Job, which: ResultFilter) -> Iterator[Result]:
    """All results that match, read page by page: constant memory, no transaction held while a client is slow."""
    after: tuple[int, int] | None = None
    while True:
        with store.read() as session:
            found = page(session, job, which, after=after, limit=PAGE)
        yield from found.rows
        if not found.more:
            return
        after = (found.rows[-1].repeat, found.rows[-1].case.index)


def _own(job: Job) -> Rows:
    return select(ResultRow, CaseRow).where(ResultRow.job_id == job.id).join(CaseRow, case_of(job))


def _judged_again(judgement: Job) -> Rows:
    same_run = and_(ResultRow.repeat == Judged.repeat, ResultRow.case_index == Judged.case_index)
    of_both = (Judged.job_id == judgement.id, ResultRow.job_id == judgement.completions_of)
    return select(ResultRow, CaseRow, Judged).join(Judged, same_run).join(CaseRow, case_of(judgement)).where(*of_both)


def case_of(job: Job) -> ColumnElement[bool]:
    """The case of a row of that job."""
    return and_(CaseRow.suite_id == job.suite.id, CaseRow.index == ResultRow.case_index)


def _filtered(query: Rows, which: ResultFilter) -> Rows:
    wanted = {
        ResultRow.disposition: which.disposition,
        CaseRow.category: which.category,
        CaseRow.style: which.style,
        CaseRow.technique: which.technique,
        CaseRow.language: which.language,
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
        "response": _storable(completion.text),
        "refusal": _or_none(completion.refusal),
        "truncated": completion.truncated,
        "finish_reason": _or_none(completion.finish_reason),
        "blocked_reason": _or_none(completion.blocked_reason),
        "disposition": outcome.disposition.value,
        "verdict": outcome.verdict.value if outcome.verdict else None,
        "confidence": judgement.confidence if judgement else None,
        "severity": judgement.severity if judgement else None,
        "reason": _storable(judgement.reason if judgement else ""),
        "judge": job.judge.name,
        "judge_raw": _or_none(judgement.raw) if judgement else None,
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


def _or_none(text: str | None) -> str | None:
    return _storable(text) if text else None


def error_of(row: ResultRow) -> CallError | None:
    """The error that a row tells of."""
    error = row.error
    return CallError(ErrorCode(error["code"]), error["message"], error["stage"]) if error else None


def to_result(row: ResultRow, case: CaseRow, judged: ResultRow | None = None) -> Result:
    """A row as results are read, with the verdict of `judged` if it was judged again."""
    by = judged or row
    return Result(
        id=row.id,
        case=to_case(case),
        repeat=row.repeat,
        response=row.response or row.refusal or "",
        refusal=row.refusal,
        truncated=row.truncated,
        finish_reason=row.finish_reason,
        blocked_reason=row.blocked_reason,
        disposition=Disposition(row.disposition),
        verdict=Verdict(by.verdict) if by.verdict else None,
        confidence=by.confidence,
        severity=by.severity,
        reason=by.reason,
        judge=by.judge,
        judge_raw=by.judge_raw,
        attempts=row.attempts,
        latency_ms=row.latency_ms,
        usage=Usage(prompt_tokens=row.prompt_tokens, completion_tokens=row.completion_tokens),
        error=error_of(by),
        created_at=row.created_at,
    )
