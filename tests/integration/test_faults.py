"""What must hold when workers and Redis fail: each test checks the whole promise, not only that the job ended.

One result for each case and repeat, counts that agree with the results, and no call paid twice beyond what was in
flight when something died.
"""

import os
import signal
from collections import Counter
from pathlib import Path

import pytest

from service.domain.jobs import Job
from service.domain.lifecycle import JobStatus
from service.domain.tallies import total
from service.pipeline.services import Services
from service.pipeline.submit import submit
from service.pipeline.writer import GATHER_SECONDS
from service.settings import Settings
from service.store import jobs, results, tallies
from service.targets.base import targets
from tests.support.databases import about_redis_alone, on_postgresql, on_sqlite
from tests.support.mock_openai import MockOpenAI, text
from tests.support.specs import REFUSAL, job_spec, plugin
from tests.support.stack import wait_for, worker
from tests.support.thorough import in_depth

CASES = 120
CONCURRENCY = 8
LATENCY_SECONDS = 0.1
LOST = round(CONCURRENCY * (1 + 2 * GATHER_SECONDS / LATENCY_SECONDS))
"""Calls that one death may cost: those in flight, and the answers that were gathered while others were being written.
Twice the usual, since machines under load write slowly; still a third of the cases."""
RECOVERY_SECONDS = 30
"""The promise of docs/reliability.md for an orphaned batch; the rest of the job comes on top."""


@pytest.fixture
def server() -> MockOpenAI:
    return MockOpenAI(text(REFUSAL).after(LATENCY_SECONDS))


def start(services: Services, server: MockOpenAI, count: int = CASES) -> Job:
    target = plugin(targets, "openai", base_url=server.base_url, model="m", max_concurrency=CONCURRENCY)
    return submit(services, job_spec(count, target=target), tenant="acme")


def done(services: Services, job: Job) -> int:
    with services.store.read() as session:
        return total(tallies.read(session, job.id)).done


def ended(services: Services, job: Job) -> Job | None:
    with services.store.read() as session:
        now = jobs.get(session, job.tenant, job.id)
    return now if now.status.is_final else None


def assert_complete(services: Services, job: Job, server: MockOpenAI, *, lost_in_flight: int = 0) -> None:
    """Wait for the end and check the promise."""
    final = wait_for(lambda: ended(services, job), RECOVERY_SECONDS + 30, "the job's end")
    assert final.status is JobStatus.COMPLETED
    stored = Counter(
        (result.case.index, result.repeat) for result in results.stream(services.store, final, results.ResultFilter())
    )
    assert stored == {(index, 0): 1 for index in range(final.suite.size)}
    assert done(services, final) == final.total
    assert final.total <= len(server.hits) <= final.total + lost_in_flight


@on_postgresql
def test_the_horse_is_killed(services: Services, settings: Settings, server: MockOpenAI, tmp_path: Path) -> None:
    with server, worker(settings, tmp_path / "log") as first:
        job = start(services, server)
        wait_for(lambda: done(services, job) > 10, 40, "first results")
        first.horse().kill()
        assert_complete(services, job, server, lost_in_flight=LOST)


@in_depth
@on_sqlite
def test_all_workers_are_killed_and_others_come(
    services: Services, settings: Settings, server: MockOpenAI, tmp_path: Path
) -> None:
    with server:
        with worker(settings, tmp_path / "log") as first:
            job = start(services, server)
            wait_for(lambda: done(services, job) > 10, 40, "first results")
            first.kill()
        with worker(settings, tmp_path / "log"):
            assert_complete(services, job, server, lost_in_flight=LOST)


@on_sqlite
def test_a_worker_told_to_stop_hands_back_and_nothing_is_asked_twice(
    services: Services, settings: Settings, server: MockOpenAI, tmp_path: Path
) -> None:
    with server:
        with worker(settings, tmp_path / "log") as first:
            job = start(services, server)
            wait_for(lambda: done(services, job) > 10, 40, "first results")
            first.stop(seconds=15)
            assert ended(services, job) is None
        with worker(settings, tmp_path / "log"):
            assert_complete(services, job, server)


@in_depth
@about_redis_alone
def test_the_queue_is_lost_while_no_worker_runs(
    services: Services, settings: Settings, server: MockOpenAI, tmp_path: Path
) -> None:
    with server:
        with worker(settings, tmp_path / "log") as first:
            job = start(services, server)
            wait_for(lambda: done(services, job) > 10, 40, "first results")
            first.stop(seconds=15)
        services.redis.delete(f"rq:queue:{settings.queue}")
        with worker(settings, tmp_path / "log"):
            assert_complete(services, job, server)


@in_depth
@on_postgresql
def test_a_stopped_worker_that_wakes_up_late_writes_nothing(
    services: Services, settings: Settings, server: MockOpenAI, tmp_path: Path
) -> None:
    with server, worker(settings, tmp_path / "log1") as first:
        job = start(services, server)
        wait_for(lambda: done(services, job) > 10, 40, "first results")
        horse = first.horse()
        os.kill(horse.pid, signal.SIGSTOP)
        with worker(settings, tmp_path / "log2"):
            wait_for(lambda: done(services, job) == CASES or None, RECOVERY_SECONDS + 20, "the other worker's results")
            os.kill(horse.pid, signal.SIGCONT)
            assert_complete(services, job, server, lost_in_flight=LOST)


@in_depth
@about_redis_alone
def test_two_workers_share_a_job_within_its_limit(
    services: Services, settings: Settings, server: MockOpenAI, tmp_path: Path
) -> None:
    target_slots = 32
    with server, worker(settings, tmp_path / "log1"), worker(settings, tmp_path / "log2"):
        wait_for(lambda: len(services.queue.workers()) == 2 or None, 40, "both workers")
        target = plugin(targets, "openai", base_url=server.base_url, model="m", max_concurrency=target_slots)
        job = submit(services, job_spec(320, target=target), tenant="acme")
        assert_complete(services, job, server)
        assert server.peak == target_slots
