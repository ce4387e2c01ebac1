"""The promise that every fault test checks whole: docs/reliability.md says it in words."""

from service.domain.jobs import Job
from service.domain.lifecycle import JobStatus
from service.pipeline.services import Services
from service.store import results, tallies
from tests.support.mock_openai import MockOpenAI
from tests.support.running import assert_one_result_a_run, counts, now
from tests.support.stack import wait_for


def completed(services: Services, job: Job, seconds: float) -> Job:
    """Wait for the job's end, which must be its completion."""
    final = wait_for(lambda: _ended(services, job), seconds, "the job's end")
    assert final.status is JobStatus.COMPLETED
    return final


def some_done(services: Services, job: Job, at_least: int = 10) -> None:
    """Wait until the job is well under way."""
    wait_for(lambda: counts(services, job).done >= at_least or None, 40, f"{at_least} results")


def assert_the_promise(services: Services, job: Job, server: MockOpenAI, *, lost_in_flight: int = 0) -> None:
    """One result a run, counts that agree, no verdict for an error, and no call paid for but what is accounted for.

    `lost_in_flight`: how many calls may have been paid for and lost, since something died while they were under way.
    """
    assert_one_result_a_run(services, job)
    stored = list(results.stream(services.store, job, results.ResultFilter()))
    assert [result for result in stored if (result.error is None) != (result.verdict is not None)] == []
    attempts = sum(result.attempts for result in stored)
    with services.store.read() as session:
        usage = tallies.read_usage(session, job.id)
    assert usage["target"].requests == attempts
    hits = len(server.hits)
    assert attempts <= hits <= attempts + lost_in_flight, f"{attempts} attempts, {hits} requests"


def _ended(services: Services, job: Job) -> Job | None:
    found = now(services, job)
    return found if found.status.is_final else None
