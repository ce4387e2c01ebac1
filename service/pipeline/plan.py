"""Bringing a job from queued to running: its suite is made, then the job is cut into batches."""

from collections.abc import Callable, Iterator

from service.domain.jobs import Job, StatusReason, SuiteStatus
from service.domain.lifecycle import JobStatus
from service.failpoints import failpoint
from service.pipeline.finish import fail
from service.pipeline.make import make, waiting
from service.pipeline.services import Services
from service.pipeline.wake import wake
from service.pipeline.watched import on_job
from service.store import batches, jobs
from service.store.patience import patient

BATCH_SIZE = 32
"""Cases a batch: small enough that little is asked again after a crash, large enough that claims cost nothing."""

UNPLANNED = frozenset({JobStatus.QUEUED, JobStatus.GENERATING})


def never() -> bool:
    """A worker that is not told to stop."""
    return False


def plan(services: Services, job_id: str, stopping: Callable[[], bool] = never) -> None:
    """Make the job's suite unless it is made already, store its batches, and queue the first run.

    Does nothing when another worker makes the suite, who then wakes the job, or when the job has moved on.
    """
    job = _load(services, job_id)
    if job and job.status in UNPLANNED:
        with on_job("plan", job):
            _plan(services, job, stopping)


def _plan(services: Services, job: Job, stopping: Callable[[], bool]) -> None:
    made: Job | None = job
    if job.suite.status is SuiteStatus.GENERATING:
        _note_generating(services, job)
        make_suite(services, job.suite.id, stopping, for_job=job.id)
        made = _load(services, job.id)
    if made and made.status in UNPLANNED:
        _go_on(services, made)


def make_suite(
    services: Services, suite_id: str, stopping: Callable[[], bool] = never, *, for_job: str | None = None
) -> None:
    """Make a suite, and wake the jobs that wait for it; `for_job` goes on of itself, if the suite is made."""
    if not make(services, suite_id, stopping):
        return
    for job in waiting(services, suite_id):
        if job.id != for_job or job.suite.status is SuiteStatus.GENERATING:
            wake(services, job)


def _go_on(services: Services, job: Job) -> None:
    """Start a job whose suite is made; end one whose suite can't be made."""
    if job.suite.status is SuiteStatus.FAILED:
        fail(services, job, job.suite.status_reason or StatusReason("suite_failed", "The suite could not be made."))
    elif job.suite.status is SuiteStatus.READY and (running := _cut(services, job)):
        failpoint("planned")
        # Its turn came with this task: behind all others again, it would wait a second time.
        wake(services, running, at_front=True)


@patient
def _load(services: Services, job_id: str) -> Job | None:
    with services.store.read() as session:
        return jobs.load(session, job_id)


@patient
def _note_generating(services: Services, job: Job) -> None:
    with services.store.write() as session:
        jobs.move(session, job.id, JobStatus.GENERATING)


@patient
def _cut(services: Services, job: Job) -> Job | None:
    """Cut the job into batches and let it run; None when it is not to run now. Of all who try, one cuts it."""
    with services.store.write() as session:
        if jobs.move(session, job.id, JobStatus.RUNNING, only_from=UNPLANNED):
            batches.create(session, job.id, slices(job.suite.size, job.repeats))
        failpoint("planning")
        job_now = jobs.load(session, job.id)
    return job_now if job_now and job_now.status is JobStatus.RUNNING else None


def slices(size: int, repeats: int) -> Iterator[tuple[int, int]]:
    """Cut all runs of a job into batches that lie within one repeat: (first, last) run of each."""
    for repeat in range(repeats):
        for first in range(0, size, BATCH_SIZE):
            start = repeat * size
            yield start + first, start + min(first + BATCH_SIZE, size) - 1
