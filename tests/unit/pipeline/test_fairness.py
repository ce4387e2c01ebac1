"""Other jobs wait: how long for, and what it costs the one that makes room."""

import asyncio
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from sqlalchemy.orm import Session

from service.domain.cases import Case
from service.domain.completions import Completion
from service.domain.jobs import Job
from service.domain.lifecycle import JobStatus
from service.domain.specs import PluginSpec
from service.pipeline import control, fairness
from service.pipeline.plan import plan
from service.pipeline.services import Services
from service.pipeline.submit import submit
from service.queue import TaskQueue
from service.store import batches, jobs
from service.targets.base import targets
from tests.support.breaking import breaking
from tests.support.plugged import Answering, plugged
from tests.support.running import assert_one_result_a_run, counts, run
from tests.support.specs import job_spec

TENANT = "acme"
AT_ONCE = 4


class Hanging(Answering):
    """Never answers, or after so many seconds."""

    seconds = 20.0
    asked = 0

    async def complete(self, case: Case) -> Completion:
        async with self.limiter.slot():
            type(self).asked += 1
            await asyncio.sleep(self.seconds)
        return await super().complete(case)


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Hanging]]:
    """A target that hangs, in a pipeline that is quick to think of others."""
    monkeypatch.setattr("service.pipeline.pulse.TICK_SECONDS", 0.05)
    monkeypatch.setattr("service.pipeline.pulse.INVITE_SECONDS", 0.05)
    monkeypatch.setattr(fairness, "SLICE_SECONDS", 0.1)
    monkeypatch.setattr(fairness, "LEAST_SECONDS", 0.3)
    monkeypatch.setattr(Hanging, "seconds", Hanging.seconds)
    monkeypatch.setattr(Hanging, "asked", 0)
    with plugged(targets, Hanging, "hanging"):
        yield Hanging


@pytest.fixture
def held_up(services: Services, hanging: type[Hanging]) -> Job:
    """A job whose target hangs, while another job waits for a worker."""
    spec = job_spec(40, target=PluginSpec("hanging", {"max_concurrency": AT_ONCE}))
    job = submit(services, spec, tenant=TENANT)
    plan(services, job.id)
    submit(services, job_spec(1), tenant="globex")
    return job


def cut_off(services: Services, job: Job) -> int:
    with services.store.read() as session:
        return jobs.count_cut_off(session, job.id)


def test_calls_that_keep_other_jobs_waiting_are_cut_off(services: Services, held_up: Job) -> None:
    began = time.monotonic()
    job = run(services, held_up)
    assert time.monotonic() - began < Hanging.seconds / 2
    assert job.status is JobStatus.RUNNING
    assert any(task_id.startswith(f"{job.id}-run-") for task_id in services.queue.waiting())


def test_what_was_cut_off_is_no_error_and_is_asked_again(
    services: Services, held_up: Job, hanging: type[Hanging], monkeypatch: pytest.MonkeyPatch
) -> None:
    run(services, held_up)
    assert counts(services, held_up).done == 0
    with services.store.read() as session:
        assert batches.count_claimants(session, held_up.id) == 0
        assert batches.next_takeable(session, held_up.id) == 0
    hanging.seconds = 0
    monkeypatch.setattr(fairness, "SLICE_SECONDS", 60)
    job = run(services, held_up)
    assert job.status is JobStatus.COMPLETED
    assert_one_result_a_run(services, job)


def test_what_ends_within_the_grace_is_stored(
    services: Services, held_up: Job, hanging: type[Hanging], monkeypatch: pytest.MonkeyPatch
) -> None:
    hanging.seconds = 0.5
    monkeypatch.setattr(fairness, "LEAST_SECONDS", 5)
    run(services, held_up)
    assert counts(services, held_up).done == hanging.asked > 0


def test_nothing_is_cut_off_when_the_others_have_found_a_worker(
    services: Services, held_up: Job, hanging: type[Hanging], monkeypatch: pytest.MonkeyPatch
) -> None:
    hanging.seconds = 1
    looks = iter(range(100))

    def waiting(_: TaskQueue) -> list[str]:
        return ["another-plan"] if hanging.asked and next(looks) < 3 else []

    monkeypatch.setattr(TaskQueue, "waiting", waiting)
    run(services, held_up)
    assert counts(services, held_up).done == hanging.asked == AT_ONCE


def test_a_job_that_is_cut_off_again_and_again_is_paused_before_it_costs_much(
    services: Services, held_up: Job, hanging: type[Hanging]
) -> None:
    turns = [run(services, held_up)]
    while turns[-1].status is JobStatus.RUNNING and len(turns) < 10:  # a busy machine may send less than it might
        turns.append(run(services, held_up))
    assert len(turns) > fairness.SPARE_TURNS
    assert turns[-1].status is JobStatus.PAUSED
    assert turns[-1].status_reason
    assert turns[-1].status_reason.code == "calls_too_slow"
    assert hanging.asked <= (fairness.SPARE_TURNS + 1) * AT_ONCE


def test_cases_that_wait_for_the_pace_are_cut_off_at_no_cost(services: Services, hanging: type[Hanging]) -> None:
    slowly = {"max_concurrency": AT_ONCE, "requests_per_minute": 1, "model": uuid.uuid4().hex}
    job = submit(services, job_spec(40, target=PluginSpec("hanging", slowly)), tenant=TENANT)
    plan(services, job.id)
    submit(services, job_spec(1), tenant="globex")
    run(services, job)
    assert cut_off(services, job) == hanging.asked == 1


def test_cases_cut_off_are_counted_once_though_the_commits_answer_is_lost(
    services: Services, held_up: Job, hanging: type[Hanging], monkeypatch: pytest.MonkeyPatch
) -> None:
    note_cut_off, first = jobs.note_cut_off, iter([True])

    def note_and_lose_the_answer(session: Session, job_id: str, cases: int) -> None:
        note_cut_off(session, job_id, cases)
        if next(first, False):
            broken.enter_context(breaking(services, 1, committed=True))

    monkeypatch.setattr(jobs, "note_cut_off", note_and_lose_the_answer)
    with ExitStack() as broken:
        run(services, held_up)
    assert cut_off(services, held_up) == hanging.asked == AT_ONCE


def test_a_resumed_job_may_lose_as_much_anew(services: Services, held_up: Job) -> None:
    while run(services, held_up).status is not JobStatus.PAUSED:
        pass
    control.resume(services, tenant=TENANT, job_id=held_up.id)
    assert run(services, held_up).status is JobStatus.RUNNING


def test_a_job_that_gets_on_may_lose_as_much_as_it_has_stored(
    services: Services, held_up: Job, hanging: type[Hanging], monkeypatch: pytest.MonkeyPatch
) -> None:
    hanging.seconds = 0
    monkeypatch.setattr(fairness, "SLICE_SECONDS", 60)
    job = run(services, held_up)
    most = job.total + fairness.SPARE_TURNS * AT_ONCE
    for cases, too_many in ((most, False), (1, True)):
        with services.store.write() as session:
            jobs.note_cut_off(session, job.id, cases)
        assert (fairness.too_many_cut_off(services, job, AT_ONCE) is not None) is too_many


@pytest.mark.parametrize(
    ("options", "seconds"),
    [
        ([{}, {}], fairness.LEAST_SECONDS),
        ([{"timeout_seconds": 20}, {"timeout_seconds": 15}], 35),
        ([{"timeout_seconds": 20}, {}], 20),
        ([{"timeout_seconds": 600}, {"timeout_seconds": 600}], fairness.MOST_SECONDS),
        ([{"timeout_seconds": 60}], 60),
    ],
)
def test_one_attempt_at_each_model_may_end_but_for_a_minute_at_most(
    options: list[dict[str, Any]], seconds: float
) -> None:
    assert fairness.grace(*(PluginSpec("any", given) for given in options)) == seconds


def test_a_job_waits_once_for_its_first_turn_and_not_again_when_it_is_planned(services: Services) -> None:
    first, second = (submit(services, job_spec(1), tenant=TENANT) for _ in range(2))
    plan(services, second.id)
    assert services.queue.waiting() == [f"{second.id}-run-0", f"{first.id}-plan", f"{second.id}-plan"]
