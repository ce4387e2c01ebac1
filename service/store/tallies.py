"""Tallies and usage: a job's rolled-up counts, updated in the transaction that stores the results."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Table, and_, delete, func, insert, literal, select
from sqlalchemy.orm import Session

from service.domain.completions import Usage
from service.domain.jobs import Outcome
from service.domain.tallies import Tally
from service.domain.verdicts import Disposition, Verdict
from service.store.session import database_now, insert_into
from service.store.tables import Base, CaseRow, ResultRow, TallyRow, UsageRow

TALLIES, USAGE = Base.metadata.tables["tallies"], Base.metadata.tables["usage"]
CELL = ("category", "style", "technique", "language", "disposition", "verdict")


def count(session: Session, job_id: str, outcomes: Iterable[Outcome]) -> None:
    """Add newly stored outcomes to the job's tallies and usage."""
    outcomes = list(outcomes)
    counter = Counter(_cell(outcome) for outcome in outcomes)
    # In order of the keys, so that two workers that count the same cells wait for each other instead of deadlocking.
    rows = [{"job_id": job_id, **dict(zip(CELL, cell, strict=True)), "count": n} for cell, n in sorted(counter.items())]
    _add(session, TALLIES, rows, ("count",))
    target = sum((outcome.completion.usage for outcome in outcomes), Usage())
    judge = sum((outcome.judgement.usage for outcome in outcomes if outcome.judgement), Usage())
    usage = [_usage(job_id, "judge", judge), _usage(job_id, "target", target)]
    _add(session, USAGE, usage, ("requests", "prompt_tokens", "completion_tokens"), counted_at=database_now())


def recount(session: Session, job_id: str, suite_id: str) -> None:
    """Count a job's results anew, for when some were removed."""
    session.execute(delete(TallyRow).where(TallyRow.job_id == job_id))
    features = (CaseRow.category, CaseRow.style, CaseRow.technique, CaseRow.language)
    cell = [*(func.coalesce(feature, "") for feature in features), ResultRow.disposition]
    cell.append(func.coalesce(ResultRow.verdict, ""))
    of_suite = and_(CaseRow.suite_id == suite_id, CaseRow.index == ResultRow.case_index)
    counted = select(literal(job_id), *cell, func.count()).join(CaseRow, of_suite).where(ResultRow.job_id == job_id)
    session.execute(insert(TallyRow).from_select(["job_id", *CELL, "count"], counted.group_by(*cell)))


def read(session: Session, job_id: str) -> list[Tally]:
    """The job's tallies."""
    rows = session.scalars(select(TallyRow).where(TallyRow.job_id == job_id))
    return [_tally(row) for row in rows]


def read_by_category(session: Session, job_ids: Sequence[str]) -> dict[str, list[Tally]]:
    """Tallies of several jobs in one query, added up over all other features, which are None."""
    cell = (TallyRow.job_id, TallyRow.category, TallyRow.disposition, TallyRow.verdict)
    query = select(*cell, func.sum(TallyRow.count)).where(TallyRow.job_id.in_(job_ids)).group_by(*cell)
    found: dict[str, list[Tally]] = {}
    for job_id, category, disposition, verdict, number in session.execute(query):
        tally = Tally(
            category=category or None,
            style=None,
            technique=None,
            language=None,
            disposition=Disposition(disposition),
            verdict=Verdict(verdict) if verdict else None,
            count=int(number),
        )
        found.setdefault(job_id, []).append(tally)
    return found


def read_usages(session: Session, job_ids: Sequence[str]) -> dict[str, dict[str, Usage]]:
    """What the calls of several jobs cost so far, by job and role."""
    found: dict[str, dict[str, Usage]] = {}
    for row in session.scalars(select(UsageRow).where(UsageRow.job_id.in_(job_ids))):
        usage = Usage(row.requests, row.prompt_tokens, row.completion_tokens)
        found.setdefault(row.job_id, {})[row.role] = usage
    return found


def read_usage(session: Session, job_id: str) -> dict[str, Usage]:
    """What the job's calls cost so far, by role."""
    rows = session.scalars(select(UsageRow).where(UsageRow.job_id == job_id))
    return {row.role: Usage(row.requests, row.prompt_tokens, row.completion_tokens) for row in rows}


def _add(session: Session, table: Table, rows: Sequence[dict[str, Any]], columns: Sequence[str], **noted: Any) -> None:
    """Insert rows, or add `columns` to those that exist; `noted` is set in either case."""
    statement = insert_into(session, table).values(noted)
    sums = {name: table.c[name] + statement.excluded[name] for name in columns}
    keys = list(table.primary_key)
    session.execute(statement.on_conflict_do_update(index_elements=keys, set_=sums | noted), rows)


def _cell(outcome: Outcome) -> tuple[str, ...]:
    case = outcome.case
    features = (case.category or "", case.style or "", case.technique or "", case.language)
    return (*features, outcome.disposition.value, outcome.verdict.value if outcome.verdict else "")


def _usage(job_id: str, role: str, usage: Usage) -> dict[str, Any]:
    return {
        "job_id": job_id,
        "role": role,
        "requests": usage.requests,
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
    }


def _tally(row: TallyRow) -> Tally:
    return Tally(
        category=row.category or None,
        style=row.style or None,
        technique=row.technique or None,
        language=row.language,
        disposition=Disposition(row.disposition),
        verdict=Verdict(row.verdict) if row.verdict else None,
        count=row.count,
    )
