"""Quotas of tenants, and what they have used."""

from dataclasses import asdict
from datetime import date
from typing import cast

from sqlalchemy import Table, delete, func, select
from sqlalchemy.orm import Session

from service.domain.jobs import SuiteStatus
from service.domain.lifecycle import FINAL
from service.domain.quotas import Quota
from service.store.session import changed, insert_into
from service.store.tables import DayRow, JobRow, QuotaRow, SuiteRow

_QUOTAS, _DAYS = cast("Table", QuotaRow.__table__), cast("Table", DayRow.__table__)


def find(session: Session, tenant: str) -> Quota | None:
    """The tenant's own quota; None when the defaults hold for it."""
    row = session.get(QuotaRow, tenant)
    return _quota(row) if row else None


def put(session: Session, tenant: str, quota: Quota) -> None:
    """Set a tenant's own quota, in place of any before."""
    values = asdict(quota)
    new = insert_into(session, _QUOTAS).values(tenant=tenant, **values)
    session.execute(new.on_conflict_do_update(index_elements=["tenant"], set_=values))


def remove(session: Session, tenant: str) -> bool:
    """Let the defaults hold for a tenant again; False when they did."""
    return changed(session, delete(QuotaRow).where(QuotaRow.tenant == tenant)) == 1


def list_all(session: Session) -> list[tuple[str, Quota]]:
    """Every quota of a tenant's own, by tenant."""
    return [(row.tenant, _quota(row)) for row in session.scalars(select(QuotaRow).order_by(QuotaRow.tenant))]


def spend(session: Session, tenant: str, day: date, cases: int) -> int:
    """Count cases; gives how many the day has now.

    The row stays locked until the transaction ends, so that of two submissions at once the second sees the first.
    """
    new = insert_into(session, _DAYS).values(tenant=tenant, day=day.isoformat(), cases=cases)
    counted = new.on_conflict_do_update(index_elements=["tenant", "day"], set_={"cases": _DAYS.c.cases + cases})
    total: int = session.execute(counted.returning(_DAYS.c.cases)).scalar_one()
    return total


def spent(session: Session, tenant: str, day: date) -> int:
    """How many cases the day has so far."""
    return session.scalar(select(DayRow.cases).where(DayRow.tenant == tenant, DayRow.day == day.isoformat())) or 0


def count_unended(session: Session, tenant: str) -> int:
    """How many jobs and judgements of the tenant have not ended, and suites of their own are still being made.

    A suite that is made for one job alone is part of that job.
    """
    ended = [status.value for status in FINAL]
    unended = select(func.count()).select_from(JobRow).where(JobRow.tenant == tenant, JobRow.status.not_in(ended))
    being_made = (SuiteRow.tenant == tenant, SuiteRow.status == SuiteStatus.GENERATING.value, SuiteRow.named)
    unmade = select(func.count()).select_from(SuiteRow).where(*being_made)
    return (session.scalar(unended) or 0) + (session.scalar(unmade) or 0)


def _quota(row: QuotaRow) -> Quota:
    return Quota(row.requests_per_minute, row.active_jobs, row.cases_per_day)
