"""Keeping tenants to their quotas: requests a minute in Redis, the rest as a job or a suite is stored."""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import cast

from redis.exceptions import RedisError
from sqlalchemy.orm import Session

from service.domain.quotas import Quota
from service.errors import QuotaExceededError
from service.pipeline.services import Services
from service.store import quotas

logger = logging.getLogger(__name__)

WINDOW_SECONDS = 60
JOB_SECONDS = 60
"""When to try again if too many jobs are active: nobody knows when one of them ends."""

_COUNT = """
-- KEYS: the count of this window; ARGV: seconds that a window lasts; gives the count and the seconds left
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return {count, redis.call('TTL', KEYS[1])}
"""


@dataclass(frozen=True, slots=True)
class Window:
    """How a tenant stands with its requests. A window begins with the first request after the one before."""

    limit: int
    left: int
    """Requests left; never negative."""
    seconds: int
    """Until the window ends."""
    exceeded: bool


def count_request(services: Services, quota: Quota, tenant: str) -> Window | None:
    """Count a request; None where there is no limit, or no Redis: then it goes unlimited and not unanswered."""
    limit = quota.requests_per_minute
    if limit is None:
        return None
    key = f"proofhouse:requests:{services.queue.name}:{tenant}"
    try:
        count, seconds = cast("list[int]", services.redis.register_script(_COUNT)(keys=[key], args=[WINDOW_SECONDS]))
    except RedisError as error:
        logger.warning("redis is out of reach, a request goes uncounted: %s", error)
        return None
    return Window(limit, max(0, limit - count), max(1, seconds), exceeded=count > limit)


def of_tenant(services: Services, session: Session, tenant: str) -> Quota:
    """The quota that holds for a tenant."""
    return quotas.find(session, tenant) or services.quota


def spend(services: Services, session: Session, tenant: str, cases: int) -> None:
    """Let a tenant have another job, or suite to be made, of so many cases, in the transaction that stores it.

    Raises:
        QuotaExceededError: it would be more than the tenant may have; nothing was counted once that is rolled back.
    """
    spend_cases(services, session, tenant, cases)  # first, since it makes whoever else submits wait
    quota = of_tenant(services, session, tenant)
    if quota.active_jobs is not None and quotas.count_unended(session, tenant) >= quota.active_jobs:
        raise QuotaExceededError(
            f"{quota.active_jobs:,} jobs, judgements and suites being made may be under way at once, and as many are. "
            "Wait for one to end, cancel one, or have the quota raised.",
            retry_after=JOB_SECONDS,
        )


def spend_cases(services: Services, session: Session, tenant: str, cases: int) -> None:
    """Count cases of a tenant's day, in the transaction that stores what they are for.

    Raises:
        QuotaExceededError: they are more than the day has left; nothing was counted once that is rolled back.
    """
    quota, now = of_tenant(services, session, tenant), datetime.now(UTC)
    today = quotas.spend(session, tenant, now.date(), cases)
    if quota.cases_per_day is not None and today > quota.cases_per_day:
        raise QuotaExceededError(
            f"These {cases:,} cases would make {today:,} today, and {quota.cases_per_day:,} are allowed. "
            "Ask for fewer, wait for the next day (UTC), or have the quota raised.",
            retry_after=_until_midnight(now),
        )


def cases_left(services: Services, session: Session, tenant: str) -> int | None:
    """How many cases the tenant's day has left; None where there is no limit."""
    limit = of_tenant(services, session, tenant).cases_per_day
    return None if limit is None else max(0, limit - quotas.spent(session, tenant, datetime.now(UTC).date()))


def more_than_is_left(left: int) -> QuotaExceededError:
    """The error for cases that are still being read, when there are more than the day has `left`."""
    return QuotaExceededError(
        f"There are more cases here than the {left:,} that are left of today's. "
        "Send fewer, wait for the next day (UTC), or have the quota raised.",
        retry_after=_until_midnight(datetime.now(UTC)),
    )


def _until_midnight(now: datetime) -> int:
    tomorrow = datetime.combine(now.date() + timedelta(days=1), time(), UTC)
    return int((tomorrow - now).total_seconds()) + 1
