import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text as sql

from service.domain.cases import Case
from service.domain.digests import SuiteDigest
from service.domain.jobs import Job, SuiteStatus
from service.domain.lifecycle import JobStatus
from service.domain.specs import JobSpec, PluginSpec, SuiteSpec
from service.generators.base import generators
from service.pipeline import control
from service.pipeline.make import MAX_ATTEMPTS
from service.pipeline.plan import BATCH_SIZE, plan, slices
from service.pipeline.services import Services
from service.pipeline.submit import submit
from service.store import cases as stored
from service.store import making
from tests.support.plugged import Counting, counted, plugged
from tests.support.running import now, run, wind_back
from tests.support.specs import cases, job_spec, plugin
from tests.support.together import together

TENANT = "acme"
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)


def generated(size: int, name: str = "of_a_test") -> JobSpec:
    return replace(job_spec(1), suite=SuiteSpec(generator=PluginSpec(name, {"size": size})))


def stored_cases(services: Services, job: Job) -> list[Case]:
    with services.store.read() as session:
        return stored.read(session, job.suite.id, 0, 10**9)


def stored_batches(services: Services, job: Job) -> list[tuple[int, int]]:
    with services.store.read() as session:
        rows = session.execute(
            sql("SELECT first, last FROM batches WHERE job_id = :id ORDER BY number"), {"id": job.id}
        )
        return [(first, last) for first, last in rows]


def digest_of(*chunks: tuple[Case, ...]) -> str:
    digest = SuiteDigest()
    for chunk in chunks:
        digest.update(chunk)
    return str(digest)


@given(st.integers(1, 200), st.integers(1, 5))
def test_slices_cover_every_run_once_and_in_order(size: int, repeats: int) -> None:
    covered = [run for first, last in slices(size, repeats) for run in range(first, last + 1)]
    assert covered == list(range(size * repeats))


@given(st.integers(1, 200), st.integers(1, 5))
def test_no_slice_is_empty_or_larger_than_a_batch_or_reaches_into_another_repeat(size: int, repeats: int) -> None:
    for first, last in slices(size, repeats):
        assert 1 <= last - first + 1 <= BATCH_SIZE
        assert first // size == last // size


@given(st.lists(texts, min_size=1, max_size=6), st.integers(0, 6))
def test_a_digest_does_not_depend_on_how_the_cases_were_handed_in(prompts: list[str], cut: int) -> None:
    made = tuple(Case(index, prompt) for index, prompt in enumerate(prompts))
    assert digest_of(made) == digest_of(made[:cut], made[cut:])


@given(texts, texts, st.sampled_from(["prompt", "category", "style", "technique", "language", "attack"]))
def test_a_digest_changes_with_every_field(before: str, after: str, field: str) -> None:
    changed: Any = {field: after}
    kept: Any = {field: before}
    case = Case(0, "prompt")
    equal = digest_of((replace(case, **kept),)) == digest_of((replace(case, **changed),))
    assert equal == (before == after)


def test_a_digest_changes_with_the_order() -> None:
    first, second = cases(2)
    swapped = (replace(second, index=0), replace(first, index=1))
    assert digest_of((first, second)) != digest_of(swapped)


def test_a_missing_feature_is_not_an_empty_one() -> None:
    assert digest_of((Case(0, "p", category=None),)) != digest_of((Case(0, "p", category=""),))


def test_a_planned_job_runs_over_a_frozen_suite(services: Services) -> None:
    job = submit(services, job_spec(40, repeats=2), tenant=TENANT)
    plan(services, job.id)
    job = now(services, job)
    assert job.status is JobStatus.RUNNING
    assert job.suite.status is SuiteStatus.READY
    assert stored_batches(services, job) == [(0, 31), (32, 39), (40, 71), (72, 79)]


def test_a_planned_job_has_its_next_task_queued(services: Services) -> None:
    job = submit(services, job_spec(3), tenant=TENANT)
    plan(services, job.id)
    assert services.queue.waiting() == [f"{job.id}-run-0", f"{job.id}-plan"]


def test_generated_and_uploaded_cases_that_are_equal_have_equal_digests(services: Services) -> None:
    generator = plugin(generators, "matrix", limit=50, seed=3)
    made = submit(services, replace(job_spec(1), suite=SuiteSpec(generator=generator)), tenant=TENANT)
    plan(services, made.id)
    same = SuiteSpec(cases=tuple(stored_cases(services, made)))
    uploaded = submit(services, replace(job_spec(1), suite=same), tenant="globex")
    plan(services, uploaded.id)
    assert now(services, uploaded).suite.digest == now(services, made).suite.digest
    assert now(services, made).suite.digest == digest_of(tuple(stored_cases(services, made)))


def test_a_digest_is_the_same_for_suites_of_more_than_one_chunk(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.store.cases.CHUNK", 7)
    job = submit(services, job_spec(30), tenant=TENANT)
    plan(services, job.id)
    assert now(services, job).suite.digest == digest_of(cases(30))


class Interrupted(Counting):
    """Breaks off after so many cases, each time later."""

    attempts = 0

    async def cases(self, held: Sequence[Case]) -> AsyncIterator[Case]:
        type(self).attempts += 1
        async for case in super().cases(held):
            if case.index == self.attempts * 11:
                raise RuntimeError("broke off")
            yield case


@pytest.fixture
def interrupted() -> Iterator[type[Interrupted]]:
    Interrupted.attempts = 0
    with plugged(generators, Interrupted):
        yield Interrupted


def fail_to_plan(services: Services, job: Job) -> None:
    with pytest.raises(RuntimeError, match="broke off"):
        plan(services, job.id)
    wind_back(services)


def test_an_interrupted_generation_begins_anew_and_ends_with_every_case_once(
    services: Services, monkeypatch: pytest.MonkeyPatch, interrupted: type[Interrupted]
) -> None:
    monkeypatch.setattr("service.store.cases.CHUNK", 4)
    job = submit(services, generated(25), tenant=TENANT)
    fail_to_plan(services, job)
    assert 0 < len(stored_cases(services, job)) < 25
    fail_to_plan(services, job)
    plan(services, job.id)
    assert stored_cases(services, job) == counted(25)
    assert now(services, job).suite.digest == digest_of(tuple(counted(25)))


def test_a_job_that_cannot_be_planned_fails_after_three_attempts_that_brought_nothing(
    services: Services, interrupted: type[Interrupted]
) -> None:
    job = submit(services, generated(1000), tenant=TENANT)
    for _ in range(MAX_ATTEMPTS):
        fail_to_plan(services, job)
        assert not now(services, job).status.is_final
    plan(services, job.id)
    failed = now(services, job)
    assert failed.status is JobStatus.FAILED
    assert failed.status_reason
    assert failed.status_reason.code == "generation_failed"
    assert interrupted.attempts == MAX_ATTEMPTS


def test_a_suite_that_gets_on_may_lose_more_workers_than_that(
    services: Services, monkeypatch: pytest.MonkeyPatch, interrupted: type[Interrupted]
) -> None:
    monkeypatch.setattr("service.store.cases.CHUNK", 4)
    job = submit(services, generated(60), tenant=TENANT)
    for _ in range(MAX_ATTEMPTS + 2):
        fail_to_plan(services, job)
    plan(services, job.id)
    assert now(services, job).status is JobStatus.RUNNING
    assert interrupted.attempts == MAX_ATTEMPTS + 3


def test_pauses_while_the_suite_is_made_do_not_count_as_failures(services: Services) -> None:
    job = submit(services, job_spec(5), tenant=TENANT)
    for number in range(MAX_ATTEMPTS + 1):
        with services.store.write() as session:
            assert making.claim(session, job.suite.id, f"worker {number}")
        control.pause(services, tenant=TENANT, job_id=job.id)
        wind_back(services)
        control.resume(services, tenant=TENANT, job_id=job.id)
    assert run(services, job).status is JobStatus.COMPLETED


def test_resuming_a_job_leaves_its_suite_to_the_worker_that_is_making_it(services: Services) -> None:
    """What it has asked for is paid for; it may not even have noticed the pause, or make the suite for others too."""
    job = submit(services, job_spec(5), tenant=TENANT)
    with services.store.write() as session:
        making.claim(session, job.suite.id, "maker")
    control.pause(services, tenant=TENANT, job_id=job.id)
    control.resume(services, tenant=TENANT, job_id=job.id)
    with services.store.write() as session:
        making.renew(session, job.suite.id, "maker")


def test_resuming_a_job_counts_attempts_anew_even_if_its_maker_has_died_just_now(services: Services) -> None:
    job = submit(services, job_spec(5), tenant=TENANT)
    for number in range(MAX_ATTEMPTS):
        wind_back(services)
        with services.store.write() as session:
            making.claim(session, job.suite.id, f"dies {number}")
    control.pause(services, tenant=TENANT, job_id=job.id)
    control.resume(services, tenant=TENANT, job_id=job.id)
    wind_back(services)
    assert run(services, job).status is JobStatus.COMPLETED


def test_of_two_planners_at_once_one_plans(services: Services) -> None:
    job = submit(services, job_spec(100), tenant=TENANT)
    together(lambda: plan(services, job.id), lambda: plan(services, job.id))
    assert now(services, job).status is JobStatus.RUNNING
    assert stored_batches(services, job) == list(slices(100, 1))
    with services.store.read() as session:
        assert session.scalar(sql("SELECT attempts FROM suites")) == 1


def test_planning_again_changes_nothing(services: Services) -> None:
    job = submit(services, job_spec(100), tenant=TENANT)
    plan(services, job.id)
    before = now(services, job)
    wind_back(services)
    plan(services, job.id)
    after = now(services, job)
    assert replace(after, active_seconds=0) == replace(before, active_seconds=0)
    assert stored_batches(services, job) == list(slices(100, 1))


class Overtaken(Counting):
    """Does something in the middle of making cases."""

    act: Any = None

    async def cases(self, held: Sequence[Case]) -> AsyncIterator[Case]:
        async for case in super().cases(held):
            if case.index == 6:
                await asyncio.sleep(0.2)  # for what came before to be stored
                act, type(self).act = self.act, None
                if act:
                    await asyncio.to_thread(act)
            yield case


@pytest.fixture
def overtaken() -> Iterator[type[Overtaken]]:
    with plugged(generators, Overtaken):
        yield Overtaken


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.store.cases.CHUNK", 4)


@pytest.mark.usefixtures("small_chunks")
def test_a_planner_whose_claim_has_lapsed_writes_nothing(services: Services, overtaken: type[Overtaken]) -> None:
    job = submit(services, generated(20), tenant=TENANT)

    def another_takes_over() -> None:
        wind_back(services)
        with services.store.write() as session:
            assert making.claim(session, job.suite.id, "another")

    overtaken.act = staticmethod(another_takes_over)
    plan(services, job.id)
    assert now(services, job).status is JobStatus.GENERATING
    assert now(services, job).suite.status is SuiteStatus.GENERATING
    assert [case.index for case in stored_cases(services, job)] == list(range(6))
    assert stored_batches(services, job) == []


@pytest.mark.usefixtures("small_chunks")
def test_a_planner_overtaken_by_another_that_finishes_spoils_nothing(
    services: Services, overtaken: type[Overtaken]
) -> None:
    job = submit(services, generated(20), tenant=TENANT)

    def another_plans() -> None:
        wind_back(services)
        plan(services, job.id)

    overtaken.act = staticmethod(another_plans)
    plan(services, job.id)
    assert now(services, job).status is JobStatus.RUNNING
    assert stored_cases(services, job) == counted(20)
    assert stored_batches(services, job) == list(slices(20, 1))


@pytest.mark.usefixtures("small_chunks")
def test_a_job_cancelled_while_its_suite_is_made_stays_cancelled(
    services: Services, overtaken: type[Overtaken]
) -> None:
    job = submit(services, generated(20), tenant=TENANT)
    overtaken.act = staticmethod(lambda: control.cancel(services, tenant=TENANT, job_id=job.id))
    plan(services, job.id)
    assert now(services, job).status is JobStatus.CANCELLED
    assert stored_batches(services, job) == []


def test_planning_a_deleted_job_does_nothing(services: Services) -> None:
    plan(services, "job_that_is_gone")
    assert services.queue.waiting() == []
