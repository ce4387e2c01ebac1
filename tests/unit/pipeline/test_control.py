"""What a person may do to a job, and what not: verbs repeated, too late, and at the same moment as another's."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text as sql

from service.domain.jobs import Job
from service.domain.lifecycle import JobStatus
from service.domain.specs import Limits, SuiteSpec
from service.errors import ConflictError, NotFoundError
from service.pipeline import control, writeoff
from service.pipeline.feed import Run, unfold
from service.pipeline.plan import plan
from service.pipeline.services import Services
from service.pipeline.submit import submit
from service.store import jobs
from service.store.batches import MAX_ATTEMPTS
from tests.support.databases import rows
from tests.support.running import counts, now, run
from tests.support.specs import job_spec

TENANT = "acme"
VERBS: dict[str, Callable[..., Any]] = {
    "cancel": control.cancel,
    "pause": control.pause,
    "resume": control.resume,
    "retry": control.retry,
    "delete": control.delete,
}


@pytest.fixture
def queued(services: Services) -> Job:
    return submit(services, job_spec(5), tenant=TENANT)


@pytest.fixture
def running(services: Services, queued: Job) -> Job:
    """A job that has been planned and that no worker has begun."""
    plan(services, queued.id)
    return now(services, queued)


@pytest.fixture
def completed(services: Services, queued: Job) -> Job:
    return run(services, queued)


def do(services: Services, verb: str, job: Job, **options: Any) -> Any:
    return VERBS[verb](services, tenant=job.tenant, job_id=job.id, **options)


def refused(services: Services, verb: str, job: Job, **options: Any) -> str:
    """The code with which a verb is refused."""
    with pytest.raises(ConflictError) as caught:
        do(services, verb, job, **options)
    return caught.value.code


def overtake(monkeypatch: pytest.MonkeyPatch, faster: Callable[[], object]) -> None:
    """Let somebody else act once, between a verb's reading of the job and its move."""
    move = jobs.move

    def late(*args: Any, **options: Any) -> bool:
        monkeypatch.setattr(jobs, "move", move)
        faster()
        return move(*args, **options)

    monkeypatch.setattr(jobs, "move", late)


def test_cancelling_twice_changes_nothing(services: Services, running: Job) -> None:
    first = do(services, "cancel", running)
    assert do(services, "cancel", running) == first


def test_a_cancelled_job_says_why(services: Services, running: Job) -> None:
    assert do(services, "cancel", running).status_reason == control.CANCELLED


def test_a_paused_job_can_be_cancelled(services: Services, running: Job) -> None:
    do(services, "pause", running)
    assert do(services, "cancel", running).status is JobStatus.CANCELLED


def test_a_cancelled_job_keeps_its_results(services: Services, completed: Job) -> None:
    with services.store.write() as session:
        jobs.move(session, completed.id, JobStatus.RUNNING)
    do(services, "cancel", completed)
    assert counts(services, completed).done == 5


def test_a_cancelled_job_is_never_woken_again(services: Services, running: Job) -> None:
    do(services, "cancel", running)
    with services.store.read() as session:
        assert session.scalar(sql("SELECT wake_at FROM jobs WHERE id = :id"), {"id": running.id}) is None


@pytest.mark.parametrize("verb", ["cancel", "pause", "resume"])
def test_a_completed_job_can_neither_be_cancelled_nor_paused_nor_resumed(
    services: Services, completed: Job, verb: str
) -> None:
    assert refused(services, verb, completed) == "job_ended"


@pytest.mark.parametrize("verb", ["cancel", "pause", "resume"])
def test_what_is_refused_leaves_the_job_as_it_was(services: Services, completed: Job, verb: str) -> None:
    refused(services, verb, completed)
    assert now(services, completed) == completed


def test_limits_of_a_job_that_can_not_be_resumed_stay_as_they_were(services: Services, completed: Job) -> None:
    refused(services, "resume", completed, limits=Limits(max_requests=7))
    assert now(services, completed).limits == completed.limits


def test_a_job_cancelled_while_a_lost_batch_is_given_up_gets_no_result(
    services: Services, running: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the worker leaves as it would from any other job that was stopped, with no error of its own."""
    with services.store.write() as session:
        lost = "UPDATE batches SET status = 'claimed', claim = 'dead', leased_until = 0, attempts = :most"
        session.execute(sql(lost), {"most": MAX_ATTEMPTS})

    def late(*args: Any) -> list[Run]:
        do(services, "cancel", running)
        return unfold(*args)

    monkeypatch.setattr(writeoff, "unfold", late)
    assert run(services, running).status is JobStatus.CANCELLED
    assert counts(services, running).done == 0


def test_pausing_twice_changes_nothing(services: Services, running: Job) -> None:
    first = do(services, "pause", running)
    assert do(services, "pause", running) == first


def test_a_paused_job_is_not_due(services: Services, running: Job) -> None:
    do(services, "pause", running)
    with services.store.read() as session:
        assert session.scalar(sql("SELECT wake_at FROM jobs WHERE id = :id"), {"id": running.id}) is None


@pytest.mark.parametrize("state", ["queued", "running"])
def test_resuming_what_is_not_paused_changes_nothing(
    services: Services, request: pytest.FixtureRequest, state: str
) -> None:
    job: Job = request.getfixturevalue(state)
    resumed = do(services, "resume", job)
    assert replace(resumed, active_seconds=0) == replace(job, active_seconds=0)


def test_resuming_a_job_queues_its_next_task_once(services: Services, running: Job) -> None:
    services.redis.delete(f"rq:queue:{services.queue.name}")
    do(services, "pause", running)
    do(services, "resume", running)
    do(services, "resume", running)
    assert services.queue.waiting() == [f"{running.id}-run-0"]


def test_retry_of_what_has_not_begun_is_refused(services: Services, queued: Job) -> None:
    assert refused(services, "retry", queued) == "job_not_completed"


def test_retry_of_a_running_job_changes_nothing(services: Services, running: Job) -> None:
    """The same request, sent before, may just have opened it again."""
    retried = do(services, "retry", running)
    assert replace(retried, active_seconds=0) == replace(running, active_seconds=0)


@pytest.mark.parametrize("verb", VERBS)
def test_another_tenants_job_looks_as_if_it_did_not_exist(services: Services, running: Job, verb: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        VERBS[verb](services, tenant="globex", job_id=running.id)
    assert caught.value.code == "job_not_found"


@pytest.mark.parametrize("verb", VERBS)
def test_another_tenants_job_is_left_alone(services: Services, running: Job, verb: str) -> None:
    before = rows(services)
    with pytest.raises(NotFoundError):
        VERBS[verb](services, tenant="globex", job_id=running.id)
    assert (now(services, running).status, rows(services)) == (JobStatus.RUNNING, before)


@pytest.mark.parametrize("state", ["queued", "running"])
def test_a_job_that_has_not_ended_can_not_be_deleted(
    services: Services, request: pytest.FixtureRequest, state: str
) -> None:
    assert refused(services, "delete", request.getfixturevalue(state)) == "job_active"


def test_a_paused_job_can_not_be_deleted(services: Services, running: Job) -> None:
    do(services, "pause", running)
    assert refused(services, "delete", running) == "job_active"


def test_deleting_a_job_removes_everything_with_its_suite(services: Services, completed: Job) -> None:
    assert {"jobs", "suites", "cases", "batches", "results", "tallies", "usage"} <= rows(services).keys()
    do(services, "delete", completed)
    assert rows(services) == {}


def test_deleting_a_job_leaves_a_suite_that_another_uses(services: Services, completed: Job) -> None:
    other = submit(services, replace(job_spec(1), suite=SuiteSpec(suite_id=completed.suite.id)), tenant=TENANT)
    do(services, "delete", completed)
    assert rows(services) == {"jobs": 1, "suites": 1, "cases": 5}
    assert run(services, other).status is JobStatus.COMPLETED


def test_the_last_job_of_a_shared_suite_takes_it_along(services: Services, completed: Job) -> None:
    other = submit(services, replace(job_spec(1), suite=SuiteSpec(suite_id=completed.suite.id)), tenant=TENANT)
    run(services, other)
    do(services, "delete", completed)
    do(services, "delete", other)
    assert rows(services) == {}


def test_deleting_twice_finds_nothing(services: Services, completed: Job) -> None:
    do(services, "delete", completed)
    with pytest.raises(NotFoundError):
        do(services, "delete", completed)


# SQLite lets one writer in at a time, so that nobody can come in between there.
AT_ONCE = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@AT_ONCE
@pytest.mark.parametrize("verb", ["cancel", "pause"])
def test_a_verb_that_another_was_faster_with_succeeds(
    services: Services, running: Job, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    overtake(monkeypatch, lambda: do(services, verb, running))
    assert do(services, verb, running).status is {"cancel": JobStatus.CANCELLED, "pause": JobStatus.PAUSED}[verb]


@AT_ONCE
def test_resuming_what_another_has_just_resumed_succeeds(
    services: Services, running: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    do(services, "pause", running)
    overtake(monkeypatch, lambda: do(services, "resume", running))
    assert do(services, "resume", running).status is JobStatus.RUNNING


@AT_ONCE
@pytest.mark.parametrize("verb", ["cancel", "pause"])
def test_a_verb_that_comes_too_late_by_a_moment_tells_the_state_that_it_met(
    services: Services, queued: Job, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    overtake(monkeypatch, lambda: run(services, queued))
    with pytest.raises(ConflictError, match="has completed"):
        do(services, verb, queued)
