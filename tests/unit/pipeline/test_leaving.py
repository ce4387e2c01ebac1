"""How a worker leaves a job: paused by what stands then, and at no cost without end."""

import time
from typing import Any

import pytest

from service.domain.completions import ErrorCode
from service.domain.jobs import Job, Outcome
from service.domain.lifecycle import JobStatus
from service.domain.specs import Limits, PluginSpec
from service.pipeline import control
from service.pipeline.caps import reached
from service.pipeline.plan import BATCH_SIZE
from service.pipeline.services import Services
from service.pipeline.submit import submit
from service.pipeline.writer import Writer
from service.store import results
from service.store.batches import MAX_ATTEMPTS
from tests.support.running import assert_one_result_a_run, counts, run, wind_back
from tests.support.specs import job_spec
from tests.support.stack import wait_for
from tests.unit.pipeline.conftest import Slow

TENANT = "acme"
AT_ONCE = 4


def start(services: Services, count: int, **limits: Any) -> Job:
    target = PluginSpec("slow", {"max_concurrency": AT_ONCE})
    return submit(services, job_spec(count, target=target, limits=Limits(**limits)), tenant=TENANT)


def raise_limit(services: Services, job: Job, limits: Limits) -> None:
    control.resume(services, tenant=TENANT, job_id=job.id, limits=limits)


def test_a_limit_that_is_raised_while_the_last_calls_end_pauses_nothing(services: Services, slow: type[Slow]) -> None:
    job = start(services, 60, max_requests=10)

    def notice_and_raise() -> None:
        wait_for(lambda: reached(services, job), 20, "the limit")
        time.sleep(1)  # so that the worker has noticed it too
        raise_limit(services, job, Limits(max_requests=1000))

    slow.act, slow.at = staticmethod(notice_and_raise), 9
    assert run(services, job).status is JobStatus.RUNNING
    assert slow.asked < 60
    assert run(services, job).status is JobStatus.COMPLETED


def test_a_limit_given_to_a_job_that_runs_without_one_holds_at_once(services: Services, slow: type[Slow]) -> None:
    job = start(services, 200)
    slow.act, slow.at = staticmethod(lambda: raise_limit(services, job, Limits(max_requests=1))), 20
    job = run(services, job)
    assert job.status is JobStatus.PAUSED
    assert job.status_reason
    assert job.status_reason.code == "limit_max_requests"
    assert slow.asked < 200


def test_what_fails_unforeseen_is_given_up_like_a_batch_that_kills_its_worker(
    services: Services, slow: type[Slow], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or else it would be asked for and paid for without end."""
    save = Writer._save

    def fail_with_the_first_case(self: Writer, batch: Any, outcomes: list[Outcome]) -> Any:
        if any(outcome.case.index == 0 for outcome in outcomes):
            raise ZeroDivisionError("unforeseen")
        return save(self, batch, outcomes)

    monkeypatch.setattr(Writer, "_save", fail_with_the_first_case)
    job = start(services, 2 * BATCH_SIZE)
    for _ in range(MAX_ATTEMPTS):
        with pytest.RaisesGroup(ZeroDivisionError, flatten_subgroups=True):
            run(services, job)
        wind_back(services)
    job = run(services, job)
    assert job.status is JobStatus.COMPLETED
    assert_one_result_a_run(services, job)
    stored = results.stream(services.store, job, results.ResultFilter())
    assert {result.error.code for result in stored if result.error} == {ErrorCode.WORKER_LOST}
    assert counts(services, job).errors <= BATCH_SIZE
    assert slow.asked <= (1 + MAX_ATTEMPTS) * BATCH_SIZE
