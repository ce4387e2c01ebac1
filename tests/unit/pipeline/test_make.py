"""A suite of its own, from its first case to its digest: interrupted, short, unwanted, impossible."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from itertools import count
from typing import Any

import pytest
from sqlalchemy import text as sql
from sqlalchemy.exc import OperationalError

from service.domain.cases import Case
from service.domain.digests import SuiteDigest
from service.domain.effort import Effort
from service.domain.jobs import Suite, SuiteStatus
from service.domain.lifecycle import JobStatus
from service.domain.specs import PluginSpec, SuiteSpec
from service.errors import GenerationError
from service.generators.base import generators
from service.pipeline.plan import make_suite, plan
from service.pipeline.services import Services
from service.pipeline.submit import submit, submit_suite
from service.pipeline.sweep import sweep
from service.store import cases, suites
from tests.support.plugged import Counting, counted, plugged
from tests.support.running import now, wind_back
from tests.unit.pipeline.test_submit import on_suite

TENANT = "acme"


def new(services: Services, size: int = 20) -> Suite:
    return submit_suite(services, SuiteSpec(generator=PluginSpec("of_a_test", {"size": size})), None, tenant=TENANT)


def suite_now(services: Services, suite: Suite) -> Suite:
    with services.store.read() as session:
        return suites.get(session, TENANT, suite.id)


def stored(services: Services, suite: Suite) -> list[Case]:
    return [case for chunk in cases.stream(services.store, suite.id) for case in chunk]


class Scattered(Counting):
    """Gives every third place, from the last to the first, and leaves the others empty."""

    async def cases(self, held: Sequence[Case]) -> AsyncIterator[Case]:
        for case in counted(self._size)[::-3]:
            if case not in held:
                self.effort.refused += 1
                yield case


def test_what_could_not_be_made_leaves_no_gap(services: Services) -> None:
    with plugged(generators, Scattered):
        suite = new(services, 20)
        make_suite(services, suite.id)
    suite = suite_now(services, suite)
    expected = [Case(place, case.prompt) for place, case in enumerate(counted(20)[1::3])]
    assert stored(services, suite) == expected
    assert (suite.status, suite.size) == (SuiteStatus.READY, len(expected))
    digest = SuiteDigest()
    digest.update(expected)
    assert suite.digest == str(digest)
    assert suite.effort.refused == len(expected)


def test_a_death_while_a_short_suite_is_frozen_leaves_every_case_in_its_place(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The generator, asked to go on, must not take a case for that of another place."""
    monkeypatch.setattr("service.pipeline.make.failpoint", die)
    with plugged(generators, Scattered):
        suite = new(services, 20)
        with pytest.raises(ZeroDivisionError):
            make_suite(services, suite.id)
        assert sorted(case.index for case in stored(services, suite)) == list(range(1, 20, 3))
        monkeypatch.undo()
        wind_back(services)
        make_suite(services, suite.id)
    assert suite_now(services, suite).size == len(range(1, 20, 3))
    assert suite_now(services, suite).effort.refused == len(range(1, 20, 3))


def die(place: str) -> None:
    if place == "filled_up":
        raise ZeroDivisionError


def test_the_claim_is_kept_while_all_cases_are_read(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those held at the beginning, and all of them for the digest: of many, each takes longer than a lease lasts."""
    monkeypatch.setattr("service.pipeline.keeping.RENEW_SECONDS", 0.05)
    stream, kept = cases.stream, list[bool]()

    def long(*args: Any) -> Iterator[list[Case]]:
        kept.append(renewed(services))
        return stream(*args)

    monkeypatch.setattr(cases, "stream", long)
    with plugged(generators, Counting):
        make_suite(services, new(services).id)
    assert kept == [True, True]


def test_a_database_that_is_away_for_a_moment_costs_no_attempt(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, name in ((cases, "stream"), (suites, "sealed_secrets")):
        monkeypatch.setattr(module, name, faltering(getattr(module, name)))
    with plugged(generators, Counting):
        suite = new(services)
        make_suite(services, suite.id)
    assert suite_now(services, suite).status is SuiteStatus.READY


def faltering(work: Callable[..., Any]) -> Callable[..., Any]:
    """The same, but every other time the database is away."""
    times = count()

    def falter(*args: Any) -> Any:
        if next(times) % 2 == 0:
            raise OperationalError("SELECT", {}, ConnectionResetError())
        return work(*args)

    return falter


def renewed(services: Services) -> bool:
    """Whether a lease that has lapsed is soon renewed by whoever holds the claim."""
    wind_back(services)
    for _ in range(60):
        time.sleep(0.05)
        with services.store.read() as session:
            if session.scalar(sql("SELECT leased_until FROM suites")) > 0:
                return True
    return False


def test_a_generators_secrets_go_when_nothing_is_left_to_make(services: Services) -> None:
    generator = PluginSpec("of_a_test", {"size": 3}, {"api_key": "canary"})
    with plugged(generators, Counting):
        suite = submit_suite(services, SuiteSpec(generator=generator), None, tenant=TENANT)
        with services.store.read() as session:
            assert services.vault.open(suites.sealed_secrets(session, suite.id)) == {"generator": {"api_key": "canary"}}
        make_suite(services, suite.id)
    with services.store.read() as session:
        assert suites.sealed_secrets(session, suite.id) is None


class Silent(Counting):
    async def cases(self, _held: Sequence[Case]) -> AsyncIterator[Case]:
        for case in ():
            yield case


class Hopeless(Counting):
    async def cases(self, _held: Sequence[Case]) -> AsyncIterator[Case]:
        yield Case(0, "the only one")
        self.effort = Effort(failed=1)
        raise GenerationError("The key was refused.", code="generator_authentication")


@pytest.mark.parametrize(("plugin", "code"), [(Silent, "nothing_generated"), (Hopeless, "generator_authentication")])
def test_a_suite_that_can_not_be_made_fails_with_the_jobs_that_wait_for_it(
    services: Services, plugin: type, code: str
) -> None:
    with plugged(generators, plugin):
        suite = new(services)
        job = submit(services, on_suite(suite.id), tenant=TENANT)
        make_suite(services, suite.id)
    suite = suite_now(services, suite)
    assert (suite.status, suite.status_reason and suite.status_reason.code) == (SuiteStatus.FAILED, code)
    assert f"{job.id}-plan" in services.queue.waiting()
    plan(services, job.id)
    job = now(services, job)
    assert (job.status, job.status_reason and job.status_reason.code) == (JobStatus.FAILED, code)


class Slow(Counting):
    """Stores half, then does something and takes its time."""

    act: Any = None
    asked = 0

    async def cases(self, held: Sequence[Case]) -> AsyncIterator[Case]:
        for case in counted(self._size)[len(held) :]:
            if case.index == self._size // 2 and self.act:
                await asyncio.sleep(0.2)  # for what came before to be stored
                act, type(self).act = type(self).act, None
                await asyncio.to_thread(act)
                await asyncio.sleep(5)
            type(self).asked += 1
            yield case


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> type[Slow]:
    monkeypatch.setattr("service.pipeline.keeping.RENEW_SECONDS", 0.1)
    monkeypatch.setattr("service.pipeline.fill.TICK_SECONDS", 0.05)
    monkeypatch.setattr(Slow, "asked", 0)
    return Slow


def test_a_worker_told_to_stop_leaves_what_it_has_and_another_goes_on_at_once(
    services: Services, slow: type[Slow]
) -> None:
    told = threading.Event()
    slow.act = staticmethod(told.set)
    with plugged(generators, slow):
        suite = new(services)
        make_suite(services, suite.id, told.is_set)
        assert 0 < len(stored(services, suite)) < 20
        make_suite(services, suite.id)
    assert suite_now(services, suite).status is SuiteStatus.READY
    assert stored(services, suite) == counted(20)
    assert slow.asked == 20


class Refused(Counting):
    """One case, and then nothing but refusals, until the worker is told to stop."""

    told = threading.Event()

    async def cases(self, _held: Sequence[Case]) -> AsyncIterator[Case]:
        yield counted(1)[0]
        await asyncio.sleep(0.2)  # for what came before to be stored
        self.effort.refused = 7
        self.told.set()
        await asyncio.sleep(5)


def test_a_worker_told_to_stop_notes_what_was_spent_since_the_last_case(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.pipeline.fill.TICK_SECONDS", 0.05)
    monkeypatch.setattr(Refused, "told", threading.Event())
    with plugged(generators, Refused):
        suite = new(services)
        make_suite(services, suite.id, Refused.told.is_set)
    assert suite_now(services, suite).effort.refused == 7


def test_a_suite_deleted_while_it_is_made_is_made_no_further(services: Services, slow: type[Slow]) -> None:
    with plugged(generators, slow):
        suite = new(services)

        def delete() -> None:
            with services.store.write() as session:
                suites.remove(session, suite.id)

        slow.act = staticmethod(delete)
        make_suite(services, suite.id)
    assert stored(services, suite) == []
    assert slow.asked == 10


def test_the_making_of_a_suite_whose_task_was_lost_is_queued_again(services: Services) -> None:
    with plugged(generators, Counting):
        suite = new(services)
    services.redis.delete(f"rq:queue:{services.queue.name}")
    assert sweep(services) == 0
    wind_back(services)
    assert sweep(services) == 1
    assert services.queue.waiting() == [f"{suite.id}-make"]


def test_a_ready_suite_is_never_woken(services: Services) -> None:
    with plugged(generators, Counting):
        make_suite(services, new(services).id)
    wind_back(services)
    assert sweep(services) == 0
