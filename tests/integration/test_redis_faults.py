"""What must hold when Redis dies, hangs or forgets everything: it carries work, the database knows what is true.

Real workers over a Valkey of the test's own. Each test checks the whole promise (tests/support/promise.py); the job
completes within a minute of Redis being back, and since nobody who holds work dies, nothing is asked twice.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from service.domain.jobs import Job
from service.domain.lifecycle import JobStatus
from service.llm.slots import SharedSlots
from service.pipeline.services import Services
from service.pipeline.submit import submit
from service.settings import Settings
from service.targets.base import targets
from tests.support.mock_openai import MockOpenAI, text
from tests.support.promise import assert_the_promise, completed, some_done
from tests.support.running import now
from tests.support.servers import OwnValkey, own_valkey
from tests.support.specs import REFUSAL, job_spec, plugin
from tests.support.stack import wait_for, worker
from tests.support.thorough import in_depth

CASES = 160
CONCURRENCY = 8
AWAY_SECONDS = 20
RECOVERY_SECONDS = 60


@pytest.fixture
def valkey() -> Iterator[OwnValkey]:
    with own_valkey() as server:
        yield server


@pytest.fixture
def valkey_url(valkey: OwnValkey) -> str:
    return valkey.url


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def start(services: Services, server: MockOpenAI, cases: int = CASES, **options: object) -> Job:
    target = plugin(targets, "openai", base_url=server.base_url, model="m", max_concurrency=CONCURRENCY, **options)
    return submit(services, job_spec(cases, target=target), tenant="acme")


def restart_empty(valkey: OwnValkey) -> None:
    valkey.kill()
    valkey.start()


def go_away(valkey: OwnValkey) -> None:
    valkey.kill()
    time.sleep(AWAY_SECONDS)
    valkey.start()


def hang(valkey: OwnValkey) -> None:
    valkey.freeze()
    time.sleep(AWAY_SECONDS)
    valkey.thaw()


FAILURES = [
    pytest.param(restart_empty, id="restarted empty", marks=in_depth),
    pytest.param(go_away, id="killed for 20 s", marks=in_depth),
    pytest.param(hang, id="frozen for 20 s"),
    pytest.param(OwnValkey.flush, id="flushed", marks=in_depth),
]


@pytest.mark.parametrize("fail", FAILURES)
def test_redis_fails_in_the_middle_and_the_worker_is_fit_for_the_next_job_too(
    services: Services, settings: Settings, valkey: OwnValkey, tmp_path: Path, fail: Callable[[OwnValkey], None]
) -> None:
    with MockOpenAI(text(REFUSAL).after(0.15)) as server, worker(settings, tmp_path / "log"):
        job = start(services, server)
        some_done(services, job)
        fail(valkey)
        completed(services, job, RECOVERY_SECONDS)
        assert_the_promise(services, job, server)
        assert server.peak <= CONCURRENCY
        with MockOpenAI(text(REFUSAL)) as another:
            next_job = start(services, another, 20)
            completed(services, next_job, RECOVERY_SECONDS)
            assert_the_promise(services, next_job, another)


def test_a_worker_that_finds_no_redis_waits_for_it_and_is_not_started_again_and_again(
    services: Services, settings: Settings, valkey: OwnValkey, tmp_path: Path
) -> None:
    valkey.kill()
    with worker(settings, tmp_path / "log") as waiting:
        first = wait_for(waiting.rq_worker, 10, "the worker's process")
        wait_for(lambda: "waiting for it" in waiting.log.read_text(), 40, "a word about it")
        valkey.start()
        wait_for(lambda: services.queue.workers() or None, 40, "the worker")
        assert waiting.rq_worker() == first
        assert waiting.log.read_text().count("waiting for it") == 1


@in_depth
def test_redis_hangs_for_longer_than_the_leases_under_a_rate_and_no_call_is_paid_for_twice(
    services: Services, settings: Settings, valkey: OwnValkey, tmp_path: Path
) -> None:
    """Calls that wait for the rate must not keep those from their threads that renew leases and store results."""
    with (
        MockOpenAI(text(REFUSAL).after(0.5)) as server,
        worker(settings, tmp_path / "log1"),
        worker(settings, tmp_path / "log2"),
    ):
        job = start(services, server, 100, requests_per_minute=1200)
        some_done(services, job, 1)
        hang(valkey)
        completed(services, job, RECOVERY_SECONDS)
        assert_the_promise(services, job, server)


def test_slots_held_by_others_are_not_given_away_when_redis_has_forgotten_them(
    services: Services, valkey: OwnValkey
) -> None:
    one, two = (SharedSlots(services.redis, "model", lane, 8) for lane in ("one", "two"))
    mine, yours = one.renew(held=0, wanted=8), 0
    for _ in range(4):
        yours = two.renew(held=yours, wanted=8)
        mine = one.renew(held=mine, wanted=8)
        mine = one.renew(held=mine, wanted=8)
    assert (mine, yours) == (4, 4)
    valkey.flush()
    for _ in range(4):
        mine, yours = one.renew(held=mine, wanted=8), two.renew(held=yours, wanted=8)
        assert (mine, yours) == (4, 4)


def test_a_job_submitted_while_redis_is_away_is_accepted_and_runs_once_it_is_back(
    services: Services, settings: Settings, valkey: OwnValkey, tmp_path: Path
) -> None:
    with MockOpenAI(text(REFUSAL)) as server, worker(settings, tmp_path / "log"):
        wait_for(lambda: services.queue.workers() or None, 40, "the worker")
        valkey.kill()
        job = start(services, server)
        assert now(services, job).status is JobStatus.QUEUED
        valkey.start()
        completed(services, job, RECOVERY_SECONDS)
        assert_the_promise(services, job, server)
