"""The pipeline from submit to completed, tasks run in this process."""

import asyncio
from collections import Counter
from collections.abc import Callable

from service.domain.jobs import Job
from service.domain.lifecycle import JobStatus
from service.domain.tallies import total
from service.pipeline.execute import execute
from service.pipeline.plan import plan
from service.pipeline.services import Services
from service.pipeline.submit import submit
from service.store import jobs, results, tallies
from tests.support.specs import job_spec

TENANT = "acme"


def run(services: Services, job: Job, stopping: Callable[[], bool] = lambda: False) -> Job:
    plan(services, job.id)
    asyncio.run(execute(services, job.id, stopping))
    with services.store.read() as session:
        return jobs.get(session, TENANT, job.id)


def test_a_job_runs_to_completion_with_one_result_a_case_and_repeat(services: Services) -> None:
    job = run(services, submit(services, job_spec(40, repeats=2), tenant=TENANT))
    assert job.status is JobStatus.COMPLETED
    stored = list(results.stream(services.store, job, results.ResultFilter()))
    assert Counter((result.case.index, result.repeat) for result in stored) == {
        (index, repeat): 1 for index in range(40) for repeat in range(2)
    }
    with services.store.read() as session:
        counts = total(tallies.read(session, job.id))
    assert counts.done == 80
    assert counts.safe == counts.refused == 80
