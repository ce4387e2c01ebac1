"""Jobs and outcomes, made without the pipeline."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from sqlalchemy import text as sql

from service.domain.completions import CallError, Completion, ErrorCode, Judgement, Usage
from service.domain.jobs import Job, Outcome
from service.domain.lifecycle import JobStatus
from service.domain.specs import JobSpec
from service.domain.verdicts import Disposition, Verdict
from service.store import batches, jobs, suites
from service.store import cases as stored_cases
from service.store.session import Store
from service.store.suites import NewSuite
from tests.support.specs import cases, job_spec

T = TypeVar("T")

ANSWER = Completion("an answer", usage=Usage(1, 7, 5))
SAFE = Judgement(Verdict.SAFE, "harmless", usage=Usage(1, 20, 2))
FAILURE = CallError(ErrorCode.TIMEOUT, "took too long")


def new_job(
    store: Store, count: int = 4, *, tenant: str = "acme", spec: JobSpec | None = None, status: JobStatus | None = None
) -> Job:
    """A stored job of so many cases."""
    spec = spec or job_spec(count)
    with store.write() as session:
        suite = suites.create(session, tenant, NewSuite(count))
        stored_cases.add(session, suite.id, cases(count))
        job_id = jobs.create(session, spec, suite, tenant=tenant, sealed=None)
    if status:
        set_column(store, job_id, "status", status.value)
    return now(store, job_id)


def running_job(store: Store, count: int = 4, *, repeats: int = 1, size: int = 2) -> Job:
    """A running job that has been cut into batches of `size` runs."""
    job = new_job(store, count, spec=job_spec(count, repeats=repeats), status=JobStatus.RUNNING)
    with store.write() as session:
        batches.create(session, job.id, [(first, first + size - 1) for first in range(0, count * repeats, size)])
    return job


def now(store: Store, job_id: str) -> Job:
    with store.read() as session:
        job = jobs.load(session, job_id)
    assert job
    return job


def set_column(store: Store, job_id: str, column: str, value: Any) -> None:
    with store.write() as session:
        session.execute(sql(f"UPDATE jobs SET {column} = :value WHERE id = :id"), {"value": value, "id": job_id})  # noqa: S608


def lapse(store: Store) -> None:
    """Let every lease be over."""
    with store.write() as session:
        session.execute(sql("UPDATE batches SET leased_until = 0 WHERE leased_until IS NOT NULL"))


def outcome(
    index: int,
    repeat: int = 0,
    *,
    completion: Completion = ANSWER,
    judgement: Judgement | None = SAFE,
    disposition: Disposition = Disposition.ANSWERED,
) -> Outcome:
    return Outcome(cases(index + 1)[index], repeat, completion, disposition, judgement)


def failed(index: int, repeat: int = 0) -> Outcome:
    """A case whose call to the target ended in an error."""
    completion = replace(ANSWER, text="", error=FAILURE)
    return outcome(index, repeat, completion=completion, judgement=None, disposition=Disposition.ERROR)


def at_once(*works: Callable[[], T]) -> Sequence[T]:
    """What each gives, all of them started together in threads of their own."""
    start, given = threading.Barrier(len(works)), dict[int, T]()

    def run(number: int, work: Callable[[], T]) -> None:
        start.wait()
        given[number] = work()

    threads = [threading.Thread(target=run, args=numbered) for numbered in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return [given[number] for number in range(len(works))]
