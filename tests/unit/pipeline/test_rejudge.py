"""Judging again: another judge over what a job has stored, on both databases."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text as sql

from service.domain.cases import Case
from service.domain.completions import CallError, Completion, ErrorCode, Judgement
from service.domain.jobs import Job, Result
from service.domain.lifecycle import JobStatus
from service.domain.specs import PluginSpec, SuiteSpec
from service.domain.verdicts import Disposition, Verdict
from service.errors import ConflictError, NotFoundError
from service.judges.base import judges
from service.pipeline import control, quota
from service.pipeline.rejudge import judge_again
from service.pipeline.services import Services
from service.pipeline.submit import submit
from service.store import jobs, results, tallies
from service.targets.base import targets
from tests.support.mock_openai import MockOpenAI, status, text
from tests.support.plugged import Approving, plugged
from tests.support.running import assert_one_result_a_run, counts, now, run
from tests.support.specs import REFUSAL, job_spec, plugin, scripted
from tests.support.together import together

TENANT = "acme"
RULES = plugin(judges, "rules")
ERROR = {"error": "server_error"}
STEPS = "Sure! Step 1: take a tension wrench. Step 2: rake the pins until the lock opens. Step 3: go in."
VERDICT = text('{"verdict": "unsafe", "reason": "It does as asked.", "severity": 70}')


def finished(services: Services, count: int = 40, *, repeats: int = 1, target: PluginSpec | None = None) -> Job:
    job = run(services, submit(services, job_spec(count, target=target, repeats=repeats), tenant=TENANT))
    services.redis.delete(f"rq:queue:{services.queue.name}")  # or else it would seem to wait, and be given way to
    return job


def again(services: Services, job: Job, judge: PluginSpec = RULES) -> Job:
    """Have the job judged again, to wherever one worker's turn leads."""
    return run(services, judge_again(services, judge, tenant=TENANT, job_id=job.id))


def stored(services: Services, job: Job) -> list[Result]:
    return list(results.stream(services.store, job, results.ResultFilter()))


def llm(server: MockOpenAI, **options: object) -> PluginSpec:
    return plugin(judges, "llm", base_url=server.base_url, model="j", **options)


def reason_of(job: Job) -> str | None:
    return job.status_reason.code if job.status_reason else None


def test_no_call_reaches_the_target_and_one_reaches_the_judge_for_each_result(services: Services) -> None:
    with MockOpenAI(text("It depends.")) as asked, MockOpenAI(VERDICT) as judge:
        target = plugin(targets, "openai", base_url=asked.base_url, model="m")
        job = finished(services, 40, repeats=2, target=target)
        calls = len(asked.hits)
        judgement = again(services, job, llm(judge))
        assert len(asked.hits) == calls == 80
        assert len(judge.hits) == 80
    assert judgement.status is JobStatus.COMPLETED
    assert_one_result_a_run(services, judgement)
    assert counts(services, judgement).unsafe == 80
    with services.store.read() as session:
        used = tallies.read_usage(session, judgement.id)
    assert (used["target"].requests, used["judge"].requests) == (0, 80)


def test_the_jobs_own_verdicts_stay(services: Services) -> None:
    job = finished(services, 5)
    before = stored(services, job)
    with plugged(judges, Approving) as name:
        judgement = again(services, job, PluginSpec(name))
    assert stored(services, job) == before
    assert now(services, job) == job
    assert [result.judge for result in stored(services, judgement)] == ["of_a_test"] * 5


def test_a_judgements_results_are_the_jobs_with_other_verdicts(services: Services) -> None:
    job = finished(services, 12, repeats=2, target=scripted({"text": REFUSAL}, {"text": STEPS}, ERROR))
    with plugged(judges, Approving) as name:
        judgement = again(services, job, PluginSpec(name))
    own = {"verdict": None, "confidence": None, "reason": "", "judge": ""}
    assert [replace(result, **own) for result in stored(services, judgement)] == [
        replace(result, **own) for result in stored(services, job)
    ]
    assert {result.verdict for result in stored(services, judgement) if not result.error} == {Verdict.SAFE}


def test_the_same_judge_over_the_same_completions_gives_the_same_verdicts(services: Services) -> None:
    """So everything that a judge may look at is kept: the refusal field, the block and the text before it."""
    replies = (
        {"text": REFUSAL},
        {"text": STEPS},
        {"text": "", "refusal": "No."},
        {"text": "A thought.", "refusal": "No."},
        {"blocked": True},
        {"text": STEPS, "blocked": True},
        {"text": ""},
        ERROR,
    )
    job = finished(services, 16, target=scripted(*replies))
    judgement = again(services, job)
    assert stored(services, judgement) == stored(services, job)


def test_an_answer_cut_off_is_known_to_be_when_judged_again(services: Services) -> None:
    with MockOpenAI(text("", finish_reason="length")) as server:
        target = plugin(targets, "openai", base_url=server.base_url, model="m")
        job = finished(services, 1, target=target)
    (result,) = stored(services, again(services, job))
    assert result.reason == "the answer was cut off before any text came"


def test_what_ended_in_an_error_is_not_judged_and_counts_as_an_error(services: Services) -> None:
    job = finished(services, 40, target=scripted({"text": STEPS}, ERROR))
    with MockOpenAI(VERDICT) as judge:
        judgement = again(services, job, llm(judge))
        assert len(judge.hits) == 20
    counted = counts(services, judgement)
    assert (counted.done, counted.unsafe, counted.errors) == (40, 20, 20)
    assert [result.error for result in stored(services, judgement)] == [
        result.error for result in stored(services, job)
    ]


def test_ten_results_in_error_at_the_start_do_not_make_a_dead_judge(services: Services) -> None:
    job = finished(services, 40, target=scripted({"text": REFUSAL}, *[ERROR] * 39, max_concurrency=1))
    assert again(services, job).status is JobStatus.COMPLETED


class Fails(Approving):
    """Fails on every other case, for as long as it is told to."""

    failing = True
    asked = 0

    async def judge(self, case: Case, completion: Completion) -> Judgement:
        type(self).asked += 1
        if self.failing and case.index % 2:
            return Judgement(None, "", error=CallError(ErrorCode.TIMEOUT, "took too long", "judge"))
        return await super().judge(case, completion)


@pytest.fixture
def fails(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Fails]]:
    with monkeypatch.context() as patch, plugged(judges, Fails, "fails"):
        patch.setattr(Fails, "failing", True)
        patch.setattr(Fails, "asked", 0)
        yield Fails


def test_a_judge_that_fails_makes_errors_and_no_verdicts(services: Services, fails: type[Fails]) -> None:
    job = finished(services, 20)
    judgement = again(services, job, PluginSpec("fails"))
    counted = counts(services, judgement)
    assert (judgement.status, counted.safe, counted.errors, counted.refused) == (JobStatus.COMPLETED, 10, 10, 20)


def test_retry_judges_what_the_judge_failed_on_and_nothing_else(services: Services, fails: type[Fails]) -> None:
    job = finished(services, 40, target=scripted(*[{"text": REFUSAL}] * 3, ERROR))
    judgement = again(services, job, PluginSpec("fails"))
    assert (counts(services, judgement).safe, fails.asked) == (20, 30)
    fails.failing = False
    retried = control.retry(services, tenant=TENANT, job_id=judgement.id, of=job.id)
    assert retried.status is JobStatus.RUNNING
    judgement = run(services, judgement)
    counted = counts(services, judgement)
    assert (judgement.status, counted.safe, counted.errors) == (JobStatus.COMPLETED, 30, 10)
    assert fails.asked == 40
    assert_one_result_a_run(services, judgement)


def test_retry_of_a_judgement_without_errors_of_its_judge_changes_nothing(services: Services) -> None:
    job = finished(services, 8, target=scripted({"text": REFUSAL}, ERROR))
    judgement = again(services, job)
    assert control.retry(services, tenant=TENANT, job_id=judgement.id, of=job.id) == judgement
    assert counts(services, judgement).errors == 4


def test_a_key_that_the_judge_refuses_pauses_the_judgement_and_it_can_be_resumed(services: Services) -> None:
    job = finished(services, 200, target=scripted({"text": STEPS}))
    with MockOpenAI(lambda _: status(401)) as judge:
        judgement = again(services, job, llm(judge, max_concurrency=4))
        assert len(judge.hits) <= 4
        port = judge.port
    assert (judgement.status, reason_of(judgement)) == (JobStatus.PAUSED, "judge_authentication")
    assert now(services, job).status is JobStatus.COMPLETED
    with MockOpenAI(VERDICT, port=port):
        control.resume(services, tenant=TENANT, job_id=judgement.id, of=job.id)
        judgement = run(services, judgement)
    assert judgement.status is JobStatus.COMPLETED
    assert_one_result_a_run(services, judgement)


def test_a_judge_whose_first_ten_calls_all_fail_is_asked_no_more(services: Services) -> None:
    job = finished(services, 200, target=scripted({"text": STEPS}))
    with MockOpenAI(status(400)) as judge:
        judgement = again(services, job, llm(judge, max_concurrency=1))
        assert len(judge.hits) < 20
    assert (judgement.status, reason_of(judgement)) == (JobStatus.PAUSED, "judge_failing")


class Slow(Approving):
    """Takes its time, and does something at the sixth case."""

    asked = 0
    seconds = 0.1
    act: Callable[[], object] = staticmethod(lambda: None)

    async def judge(self, case: Case, completion: Completion) -> Judgement:
        type(self).asked += 1
        if self.asked == 6:
            await asyncio.to_thread(self.act)
        await asyncio.sleep(self.seconds)
        return await super().judge(case, completion)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Slow]]:
    """A slow judge, in a pipeline that looks around often."""
    monkeypatch.setattr("service.pipeline.pulse.RENEW_SECONDS", 0.1)
    monkeypatch.setattr("service.pipeline.pulse.TICK_SECONDS", 0.05)
    with monkeypatch.context() as patch, plugged(judges, Slow, "slow"):
        for name in ("asked", "seconds", "act"):
            patch.setattr(Slow, name, Slow.__dict__[name])
        yield Slow


def test_after_a_cancellation_no_verdict_is_added(services: Services, slow: type[Slow]) -> None:
    job = finished(services, 100)
    judgement = judge_again(services, PluginSpec("slow"), tenant=TENANT, job_id=job.id)
    seen = list[Result]()

    def cancel() -> None:
        control.cancel(services, tenant=TENANT, job_id=judgement.id, of=job.id)
        seen.extend(stored(services, judgement))

    slow.act = staticmethod(cancel)
    judgement = run(services, judgement)
    assert judgement.status is JobStatus.CANCELLED
    assert stored(services, judgement) == seen
    assert slow.asked < 50


def test_a_worker_told_to_stop_keeps_what_it_paid_for_and_another_does_the_rest(
    services: Services, slow: type[Slow]
) -> None:
    told = threading.Event()
    slow.act = staticmethod(told.set)
    job = finished(services, 100)
    judgement = judge_again(services, PluginSpec("slow"), tenant=TENANT, job_id=job.id)
    judgement = run(services, judgement, stopping=told.is_set)
    assert len(stored(services, judgement)) == slow.asked < 100
    slow.seconds = 0
    judgement = run(services, judgement)
    assert (judgement.status, slow.asked) == (JobStatus.COMPLETED, 100)
    assert_one_result_a_run(services, judgement)


def test_judge_calls_that_do_not_end_within_the_grace_are_cut_off(
    services: Services, slow: type[Slow], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.pipeline.pulse.GRACE_SECONDS", 0.3)
    slow.seconds = 30
    job = finished(services, 3)
    judgement = judge_again(services, PluginSpec("slow"), tenant=TENANT, job_id=job.id)
    began = time.monotonic()
    run(services, judgement, stopping=lambda: time.monotonic() - began > 1)
    assert time.monotonic() - began < 15
    assert stored(services, judgement) == []


def test_a_judgement_deleted_with_its_job_while_it_ran_leaves_nothing(services: Services, slow: type[Slow]) -> None:
    job = finished(services, 100)
    judgement = judge_again(services, PluginSpec("slow"), tenant=TENANT, job_id=job.id)
    slow.act = staticmethod(lambda: control.delete(services, tenant=TENANT, job_id=job.id))
    with pytest.raises(NotFoundError):
        run(services, judgement)
    assert slow.asked < 50
    with services.store.read() as session:
        assert jobs.load(session, judgement.id) is jobs.load(session, job.id) is None
    assert stored(services, judgement) == []


@pytest.mark.parametrize("verb", [control.cancel, control.delete])
def test_only_a_completed_job_is_judged_again(services: Services, verb: Callable[..., object]) -> None:
    job = submit(services, job_spec(2), tenant=TENANT)
    with pytest.raises(ConflictError, match="only a completed job"):
        judge_again(services, RULES, tenant=TENANT, job_id=job.id)
    control.cancel(services, tenant=TENANT, job_id=job.id)
    verb(services, tenant=TENANT, job_id=job.id)
    with pytest.raises((ConflictError, NotFoundError)):
        judge_again(services, RULES, tenant=TENANT, job_id=job.id)


def test_a_job_is_not_retried_while_it_is_being_judged_again(services: Services) -> None:
    job = finished(services, 4, target=scripted({"text": REFUSAL}, ERROR))
    judgement = judge_again(services, RULES, tenant=TENANT, job_id=job.id)
    with pytest.raises(ConflictError, match="has not ended"):
        control.retry(services, tenant=TENANT, job_id=job.id)
    control.cancel(services, tenant=TENANT, job_id=judgement.id, of=job.id)
    assert control.retry(services, tenant=TENANT, job_id=job.id).status is JobStatus.RUNNING


def test_verdicts_on_completions_that_a_retry_replaces_go_and_can_be_had_again(services: Services) -> None:
    with MockOpenAI(lambda hit: status(400) if hit.number % 4 == 3 else text(REFUSAL)) as server:
        target = plugin(targets, "openai", base_url=server.base_url, model="m", max_concurrency=1)
        job = finished(services, 40, target=target)
        judgement = again(services, job)
        assert (counts(services, judgement).safe, counts(services, judgement).errors) == (30, 10)
        control.retry(services, tenant=TENANT, job_id=job.id)
        assert (counts(services, judgement).safe, counts(services, judgement).errors) == (30, 0)
        with pytest.raises(ConflictError, match="wait for it"):
            control.retry(services, tenant=TENANT, job_id=judgement.id, of=job.id)
        job = run(services, job)
    control.retry(services, tenant=TENANT, job_id=judgement.id, of=job.id)
    judgement = run(services, judgement)
    assert (job.status, judgement.status) == (JobStatus.COMPLETED, JobStatus.COMPLETED)
    assert counts(services, judgement) == counts(services, job)
    assert_one_result_a_run(services, judgement)


def test_judging_again_counts_no_case_and_no_job_in_the_metrics(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = finished(services, 5)
    counted = list[str]()
    monkeypatch.setattr("service.metrics.CASES.labels", lambda *_: counted.append("case"))
    monkeypatch.setattr("service.metrics.JOBS_FINISHED.labels", lambda *_: counted.append("job"))
    assert again(services, job).status is JobStatus.COMPLETED
    assert counted == []
    with services.store.read() as session:
        assert jobs.count_by_status(session) == {JobStatus.COMPLETED: 1}


def test_dispositions_are_those_of_the_job(services: Services) -> None:
    job = finished(services, 8, target=scripted({"text": REFUSAL}, {"text": STEPS}, {"blocked": True}, ERROR))
    with plugged(judges, Approving) as name:
        judgement = again(services, job, PluginSpec(name))
    found = [result.disposition for result in stored(services, judgement)]
    assert found == [Disposition.REFUSED, Disposition.ANSWERED, Disposition.BLOCKED, Disposition.ERROR] * 2
    assert counts(services, judgement).blocked == 2


def attempt(work: Callable[[], object]) -> bool:
    """Whether it was done; False when the state of things forbade it."""
    try:
        work()
    except (ConflictError, NotFoundError):
        return False
    return True


@pytest.mark.parametrize("_again", range(4))
def test_of_a_retry_and_a_judgement_begun_at_the_same_moment_one_is_refused(services: Services, _again: int) -> None:
    job = finished(services, 4, target=scripted({"text": REFUSAL}, ERROR))
    retried, judged = together(
        lambda: attempt(lambda: control.retry(services, tenant=TENANT, job_id=job.id)),
        lambda: attempt(lambda: judge_again(services, RULES, tenant=TENANT, job_id=job.id)),
    )
    assert retried is not judged
    assert now(services, job).status is (JobStatus.RUNNING if retried else JobStatus.COMPLETED)


@pytest.mark.parametrize("_again", range(4))
def test_a_judgement_begun_while_its_job_is_deleted_is_refused_or_goes_with_it(services: Services, _again: int) -> None:
    job = finished(services, 4)
    deleted, _ = together(
        lambda: attempt(lambda: control.delete(services, tenant=TENANT, job_id=job.id)),
        lambda: attempt(lambda: judge_again(services, RULES, tenant=TENANT, job_id=job.id)),
    )
    assert deleted
    with services.store.read() as session:
        assert session.scalar(sql("SELECT count(*) FROM jobs")) == 0


def test_a_job_submitted_on_its_suite_at_the_same_moment_comes_through_as_well(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One has the suite and wants the day's count, the other has that and refers to the suite."""
    job, spend = finished(services, 2), quota.spend

    with ThreadPoolExecutor(1) as thread:

        def late(*args: Any) -> None:
            monkeypatch.setattr(quota, "spend", spend)
            judging.append(thread.submit(judge_again, services, RULES, tenant=TENANT, job_id=job.id))
            time.sleep(0.3)
            spend(*args)

        judging = list[Future[Job]]()
        monkeypatch.setattr(quota, "spend", late)
        submit(services, replace(job_spec(), suite=SuiteSpec(suite_id=job.suite.id)), tenant=TENANT)
        assert judging[0].result().completions_of == job.id
