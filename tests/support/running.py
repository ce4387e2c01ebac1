"""Running a job's tasks in this process."""

import asyncio
from collections import Counter
from collections.abc import Callable

from sqlalchemy import text as sql
from sqlalchemy.orm import Session

from service.domain.jobs import Job
from service.domain.tallies import Counts, total
from service.pipeline.execute import execute
from service.pipeline.plan import plan
from service.pipeline.services import Services
from service.store import jobs, results, tallies


def run(services: Services, job: Job, stopping: Callable[[], bool] = lambda: False) -> Job:
    """Plan the job if need be, take one worker's turn at it, and give the job as it is then."""
    plan(services, job.id)
    asyncio.run(execute(services, job.id, stopping))
    return now(services, job)


def now(services: Services, job: Job) -> Job:
    with services.store.read() as session:
        return jobs.get(session, job.tenant, job.id, of=job.completions_of)


def counts(services: Services, job: Job) -> Counts:
    with services.store.read() as session:
        return total(tallies.read(session, job.id))


def assert_one_result_a_run(services: Services, job: Job) -> None:
    """Every run of the job has one result, and the tallies say the same as a recount."""
    stored = list(results.stream(services.store, job, results.ResultFilter()))
    runs = Counter((result.case.index, result.repeat) for result in stored)
    assert runs == {(index, repeat): 1 for index in range(job.suite.size) for repeat in range(job.repeats)}
    recount = Counter(result.verdict.value if result.verdict else "errors" for result in stored)
    counted = counts(services, job)
    assert {name: getattr(counted, name) for name in ("safe", "unsafe", "unknown", "errors")} == {
        name: recount[name] for name in ("safe", "unsafe", "unknown", "errors")
    }


def wind_back(services: Services) -> None:
    """Let all leases be over, those of slots too, as if fifteen seconds had passed."""
    for key in services.redis.scan_iter("proofhouse:slots:*"):
        services.redis.delete(key)
    with services.store.write() as session:
        lapse(session)


def lapse(session: Session) -> None:
    """Let all leases in the database be over; within the caller's transaction nobody can renew one."""
    for statement in (  # in the order in which everybody locks them
        "UPDATE suites SET leased_until = 0 WHERE leased_until IS NOT NULL",
        "UPDATE jobs SET wake_at = 0 WHERE wake_at IS NOT NULL",
        "UPDATE suites SET wake_at = 0 WHERE wake_at IS NOT NULL",
        "UPDATE batches SET leased_until = 0 WHERE leased_until IS NOT NULL",
        "UPDATE deliveries SET due_at = 0 WHERE due_at IS NOT NULL",
    ):
        session.execute(sql(statement))
