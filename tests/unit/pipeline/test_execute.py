import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest
from sqlalchemy import text as sql

from service.domain.cases import Case
from service.domain.completions import Completion, ErrorCode, Judgement
from service.domain.jobs import Job, Result
from service.domain.lifecycle import JobStatus
from service.domain.specs import JobSpec, PluginSpec
from service.domain.verdicts import Disposition
from service.judges.base import judges
from service.llm.errors import PROBLEMS
from service.llm.failures import CallFailedError
from service.pipeline import control
from service.pipeline.deathwatch import DEAD_AFTER
from service.pipeline.execute import execute
from service.pipeline.plan import BATCH_SIZE, plan
from service.pipeline.services import Services
from service.pipeline.submit import submit
from service.store import batches, results
from service.targets.base import targets
from tests.support.mock_openai import MockOpenAI, status, text
from tests.support.plugged import Answering, Approving, plugged
from tests.support.running import assert_one_result_a_run, counts, lapse, run, wind_back
from tests.support.specs import REFUSAL, job_spec, plugin, scripted
from tests.support.stack import wait_for
from tests.unit.pipeline.conftest import Slow

TENANT = "acme"
OK = {"text": REFUSAL}
FAULT = {"error": "server_error"}


def reason_of(job: Job) -> str | None:
    return job.status_reason.code if job.status_reason else None


def stored(services: Services, job: Job) -> list[Result]:
    return list(results.stream(services.store, job, results.ResultFilter()))


def asking(name: str, count: int = 10, concurrency: int = 4) -> JobSpec:
    return job_spec(count, target=PluginSpec(name, {"max_concurrency": concurrency}))


@pytest.mark.parametrize("count", [1, 31, 32, 33, 100])
def test_every_case_and_repeat_has_one_result(services: Services, count: int) -> None:
    job = run(services, submit(services, job_spec(count, repeats=3), tenant=TENANT))
    assert job.status is JobStatus.COMPLETED
    assert_one_result_a_run(services, job)


def test_running_a_completed_job_again_adds_nothing(services: Services) -> None:
    job = run(services, submit(services, job_spec(5), tenant=TENANT))
    before = stored(services, job)
    run(services, job)
    assert stored(services, job) == before


def test_repeats_of_a_case_are_asked_anew(services: Services) -> None:
    with MockOpenAI(lambda hit: text(f"answer {hit.number}")) as server:
        target = plugin(targets, "openai", base_url=server.base_url, model="m")
        job = run(services, submit(services, job_spec(2, repeats=3, target=target), tenant=TENANT))
    answers = {result.response for result in stored(services, job)}
    assert answers == {f"answer {number}" for number in range(6)}


def test_a_key_that_the_target_refuses_pauses_the_job_after_few_calls(services: Services) -> None:
    with MockOpenAI(status(401)) as server:
        target = plugin(targets, "openai", base_url=server.base_url, model="m", max_concurrency=4)
        job = run(services, submit(services, job_spec(200, target=target), tenant=TENANT))
    assert job.status is JobStatus.PAUSED
    assert reason_of(job) == "target_authentication"
    assert len(server.hits) <= 4
    assert stored(services, job) == []


def test_a_key_that_the_judge_refuses_pauses_the_job(services: Services) -> None:
    with MockOpenAI(status(401)) as server:
        judge = plugin(judges, "llm", base_url=server.base_url, model="m")
        spec = replace(job_spec(20, target=scripted({"text": "Sure!"})), judge=judge)
        job = run(services, submit(services, spec, tenant=TENANT))
    assert job.status is JobStatus.PAUSED
    assert reason_of(job) == "judge_authentication"


def test_a_target_whose_first_ten_calls_all_fail_is_asked_no_more(services: Services) -> None:
    job = submit(services, job_spec(200, target=scripted(FAULT, max_concurrency=1)), tenant=TENANT)
    job = run(services, job)
    assert job.status is JobStatus.PAUSED
    assert reason_of(job) == "target_failing"
    assert DEAD_AFTER <= len(stored(services, job)) <= DEAD_AFTER + 2


def test_a_target_that_has_answered_once_may_fail_as_often_as_it_likes(services: Services) -> None:
    target = scripted(OK, *[FAULT] * 39, max_concurrency=1)
    job = run(services, submit(services, job_spec(40, target=target), tenant=TENANT))
    assert job.status is JobStatus.COMPLETED
    assert counts(services, job).errors == 39


def test_fewer_cases_than_it_takes_to_tell_a_dead_target_complete_in_error(services: Services) -> None:
    job = submit(services, job_spec(DEAD_AFTER - 1, target=scripted(FAULT)), tenant=TENANT)
    job = run(services, job)
    assert job.status is JobStatus.COMPLETED
    assert counts(services, job).errors == DEAD_AFTER - 1


def test_a_judge_that_fails_from_the_start_pauses_the_job_before_all_answers_are_paid_for(services: Services) -> None:
    with MockOpenAI(text(REFUSAL)) as target, MockOpenAI(status(400)) as judge:
        spec = replace(
            job_spec(200, target=plugin(targets, "openai", base_url=target.base_url, model="m", max_concurrency=4)),
            judge=plugin(judges, "llm", base_url=judge.base_url, model="j", max_concurrency=4),
        )
        job = run(services, submit(services, spec, tenant=TENANT))
    assert job.status is JobStatus.PAUSED
    assert reason_of(job) == "judge_failing"
    assert len(target.hits) < 100


class Raising(Answering):
    async def complete(self, case: Case) -> Completion:
        if case.index == 3:
            raise ZeroDivisionError("of the plug-in")
        return await super().complete(case)


def test_a_target_plugin_that_raises_costs_one_case(services: Services) -> None:
    with plugged(targets, Raising) as name:
        job = run(services, submit(services, asking(name), tenant=TENANT))
    assert job.status is JobStatus.COMPLETED
    failed = [result for result in stored(services, job) if result.error]
    assert [(result.case.index, result.error and result.error.code) for result in failed] == [
        (3, ErrorCode.PLUGIN_FAILED)
    ]


class Confused(Approving):
    async def judge(self, case: Case, completion: Completion) -> Judgement:
        if case.index == 3:
            raise ZeroDivisionError("of the plug-in")
        return await super().judge(case, completion)


@pytest.fixture
def judged_in_error(services: Services) -> Result:
    """The result of a case that was answered, and whose judge then failed."""
    with plugged(judges, Confused) as name:
        job = run(services, submit(services, replace(job_spec(10), judge=PluginSpec(name)), tenant=TENANT))
    assert job.status is JobStatus.COMPLETED
    (failed,) = [result for result in stored(services, job) if result.error]
    assert counts(services, job).errors == 1
    assert counts(services, job).safe == 9
    return failed


def test_a_judge_that_fails_makes_an_error_and_no_verdict(judged_in_error: Result) -> None:
    assert judged_in_error.verdict is None
    assert judged_in_error.error
    assert judged_in_error.error.stage == "judge"


def test_a_judge_that_fails_leaves_what_became_of_the_call(judged_in_error: Result) -> None:
    assert judged_in_error.disposition is Disposition.REFUSED
    assert judged_in_error.response == REFUSAL


class Unbuildable(Answering):
    def __init__(self, *_: object) -> None:
        raise RuntimeError("no such file")


def test_a_plugin_that_cannot_be_built_fails_the_job(services: Services) -> None:
    with plugged(targets, Unbuildable) as name:
        job = run(services, submit(services, asking(name), tenant=TENANT))
    assert job.status is JobStatus.FAILED
    assert reason_of(job) == "plugin_failed"


def test_after_a_cancellation_no_result_is_added(services: Services, slow: type[Slow]) -> None:
    job = submit(services, asking("slow", 100), tenant=TENANT)
    seen = list[Result]()

    def cancel() -> None:
        control.cancel(services, tenant=TENANT, job_id=job.id)
        seen.extend(stored(services, job))

    slow.act = staticmethod(cancel)
    job = run(services, job)
    assert job.status is JobStatus.CANCELLED
    assert stored(services, job) == seen
    assert slow.asked < 50


def test_a_job_deleted_while_it_ran_leaves_nothing(services: Services, slow: type[Slow]) -> None:
    job = submit(services, asking("slow", 100), tenant=TENANT)

    def delete() -> None:
        control.cancel(services, tenant=TENANT, job_id=job.id)
        control.delete(services, tenant=TENANT, job_id=job.id)

    slow.act = staticmethod(delete)
    plan(services, job.id)
    asyncio.run(execute(services, job.id, lambda: False))
    assert stored(services, job) == []


def test_a_worker_told_to_stop_hands_its_batches_back_at_once(services: Services, slow: type[Slow]) -> None:
    told = threading.Event()
    slow.act = staticmethod(told.set)
    job = submit(services, asking("slow", 100), tenant=TENANT)
    run(services, job, stopping=told.is_set)
    with services.store.read() as session:
        assert batches.count_claimants(session, job.id) == 0
        assert batches.next_takeable(session, job.id) == 0
    assert_what_is_left_can_be_run(services, job)


def test_a_worker_told_to_stop_stores_what_was_under_way(services: Services, slow: type[Slow]) -> None:
    told = threading.Event()
    slow.act = staticmethod(told.set)
    job = submit(services, asking("slow", 100), tenant=TENANT)
    run(services, job, stopping=told.is_set)
    assert len(stored(services, job)) == slow.asked


def test_calls_that_do_not_end_within_the_grace_are_cut_off(
    services: Services, slow: type[Slow], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.pipeline.pulse.GRACE_SECONDS", 0.3)
    slow.seconds, slow.at = 30, 1
    told = threading.Event()
    slow.act = staticmethod(told.set)
    job = submit(services, asking("slow", 10), tenant=TENANT)
    began = time.monotonic()
    run(services, job, stopping=told.is_set)
    assert time.monotonic() - began < 15


def test_a_worker_that_makes_room_for_others_can_still_be_told_to_stop(
    services: Services, slow: type[Slow], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It had stopped giving out work already, but what is under way may take long."""
    monkeypatch.setattr("service.pipeline.pulse.GRACE_SECONDS", 0.3)
    monkeypatch.setattr("service.pipeline.fairness.SLICE_SECONDS", 0.3)
    slow.seconds = 20
    job = submit(services, asking("slow", 10), tenant=TENANT)
    submit(services, job_spec(1), tenant=TENANT)
    plan(services, job.id)
    began = time.monotonic()
    run(services, job, stopping=lambda: slow.asked > 0 and time.monotonic() - began > 2)
    assert time.monotonic() - began < 15


def test_a_worker_makes_room_when_other_jobs_wait(
    services: Services, slow: type[Slow], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.pipeline.fairness.SLICE_SECONDS", 0.1)
    job = submit(services, asking("slow", 100), tenant=TENANT)
    slow.act = staticmethod(lambda: submit(services, job_spec(1), tenant=TENANT))
    run(services, job)
    assert 0 < len(stored(services, job)) == slow.asked < 100
    assert any(task_id.startswith(f"{job.id}-run-") for task_id in services.queue.waiting())


def test_a_worker_whose_batch_was_taken_over_drops_that_one_alone(services: Services, slow: type[Slow]) -> None:
    """The second of four batches is the other's from its middle on; the first is stored, the others are yet to come."""
    job = submit(services, asking("slow", 4 * BATCH_SIZE), tenant=TENANT)

    def take_over() -> None:
        wait_for(lambda: counts(services, job).done >= BATCH_SIZE, 20, "the first batch")
        with services.store.write() as session:
            assert [batches.claim_next(session, job.id, token) for token in ("another", "a third")]
            lapse(session)
            taken = batches.claim_next(session, job.id, "other")
            assert taken
            assert taken.number == 1
            assert [batches.hand_back(session, job.id, token) for token in ("another", "a third")] == [1, 1]

    slow.act, slow.at = staticmethod(take_over), BATCH_SIZE + BATCH_SIZE // 2
    run(services, job)
    done = {result.case.index for result in stored(services, job)}
    assert {index // BATCH_SIZE for index in set(range(4 * BATCH_SIZE)) - done} == {1}
    with services.store.read() as session:
        assert batches.count_claimants(session, job.id) == 1
    assert slow.asked < 4 * BATCH_SIZE, "what has not been asked yet is left to the other"
    wind_back(services)
    assert_what_is_left_can_be_run(services, job)


class Stuck(Answering):
    """Hangs at the second batch but for its first case; by then, that batch is another worker's."""

    act: Callable[[], object] = staticmethod(lambda: None)

    async def complete(self, case: Case) -> Completion:
        if case.index == BATCH_SIZE:
            await asyncio.to_thread(self.act)
        elif case.index // BATCH_SIZE == 1:
            await asyncio.sleep(60)
        return await super().complete(case)


def test_calls_under_way_for_a_batch_that_was_taken_over_are_cut_off(services: Services) -> None:
    """Nothing that they bring could be stored, and the judge would be asked for nothing too."""

    def take_over() -> None:
        with services.store.write() as session:
            session.execute(sql("UPDATE batches SET claim = 'another' WHERE number = 1"))

    with plugged(targets, Stuck) as name:
        job = submit(services, asking(name, 3 * BATCH_SIZE), tenant=TENANT)
        Stuck.act = staticmethod(take_over)
        began = time.monotonic()
        run(services, job)
    assert time.monotonic() - began < 30
    assert {result.case.index // BATCH_SIZE for result in stored(services, job)} == {0, 2}


class Limited(Answering):
    """Notes how many calls were under way at most, judged by its own limiter."""

    under_way = 0
    peak = 0

    async def complete(self, case: Case) -> Completion:
        async with self.limiter.slot():
            type(self).under_way += 1
            type(self).peak = max(self.peak, self.under_way)
            await asyncio.sleep(0.02)
            type(self).under_way -= 1
        return await super().complete(case)


def test_a_target_is_never_asked_more_at_once_than_it_allows(services: Services) -> None:
    Limited.peak = 0
    with plugged(targets, Limited) as name:
        run(services, submit(services, asking(name, 60, concurrency=3), tenant=TENANT))
    assert Limited.peak == 3


class Refused(Answering):
    async def complete(self, case: Case) -> Completion:
        refused = CallFailedError(PROBLEMS["rate_limited"])
        with suppress(CallFailedError):
            async with self.limiter.slot():
                raise refused
        return Completion("answer") if case.index % 2 else Completion(error=refused.call_error("target", []))


def test_slots_are_given_back_when_a_job_ends(services: Services) -> None:
    before = slots_held(services)
    with plugged(targets, Refused) as name:
        run(services, submit(services, asking(name, 12), tenant=TENANT))
    assert slots_held(services).items() <= before.items()


def slots_held(services: Services) -> dict[bytes, dict[bytes, bytes]]:
    """By target and lane. Some may be there from other tests, whose workers were killed."""
    keys = list(services.redis.scan_iter("proofhouse:slots:*:held"))
    return {key: held for key in keys if (held := services.redis.hgetall(key))}


def assert_what_is_left_can_be_run(services: Services, job: Job) -> None:
    """Whoever takes the job up next completes it, and every run has one result."""
    job = run(services, job)
    assert job.status is JobStatus.COMPLETED
    assert_one_result_a_run(services, job)
