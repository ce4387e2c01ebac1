"""Tasks that kill their process every time, or at the worst moment: the rest of the job, and the job, still end."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from service.domain.completions import ErrorCode
from service.domain.jobs import Job
from service.pipeline.services import Services
from service.pipeline.submit import submit
from service.settings import Settings
from service.store import results
from service.store.batches import MAX_ATTEMPTS
from service.targets.base import targets
from tests.support.databases import about_redis_alone, on_postgresql
from tests.support.mock_openai import MockOpenAI, text
from tests.support.promise import assert_the_promise, completed
from tests.support.running import now, wind_back
from tests.support.specs import REFUSAL, job_spec, plugin
from tests.support.stack import wait_for, worker
from tests.support.thorough import in_depth

CASES = 96
POISON = 17
CONCURRENCY = 8
BATCH = range(32)
"""The cases of the batch that holds the poison."""


def start(services: Services, server: MockOpenAI) -> Job:
    target = plugin(targets, "openai", base_url=server.base_url, model="m", max_concurrency=CONCURRENCY)
    return submit(services, job_spec(CASES, target=target), tenant="acme")


@contextmanager
def winding_back(services: Services, when: Callable[[], bool]) -> Iterator[None]:
    """Let fifteen seconds pass at once whenever nobody is left who works, so that the test need not wait for them."""
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.5):
            if when():
                wind_back(services)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@on_postgresql
def test_a_case_that_kills_its_worker_costs_its_batch_after_three_attempts_and_nothing_else(
    services: Services, settings: Settings, tmp_path: Path
) -> None:
    armed = {"PROOFHOUSE_FAILPOINTS": f"call:{POISON}=kill"}
    with MockOpenAI(text(REFUSAL).after(0.05)) as server, worker(settings, tmp_path / "log", **armed) as running:
        job = start(services, server)
        with winding_back(services, running.idle):
            job = completed(services, job, 60)
        # In flight with each of the deaths: what was under way, and what a fifth of a second had not yet stored.
        assert_the_promise(services, job, server, lost_in_flight=MAX_ATTEMPTS * 5 * CONCURRENCY)
    stored = list(results.stream(services.store, job, results.ResultFilter()))
    in_error = {result.case.index for result in stored if result.error}
    assert {result.error.code for result in stored if result.error} == {ErrorCode.WORKER_LOST}
    assert POISON in in_error
    assert in_error <= set(BATCH)
    assert (tmp_path / "log").read_text().count("lost its worker 3 times") == 1
    asked = [hit.prompt for hit in server.hits]
    assert f"number {POISON}." not in " ".join(asked)


@in_depth
@about_redis_alone
@pytest.mark.parametrize("place", ["popped", "claimed"])
def test_a_worker_that_dies_right_after_the_pop_loses_no_task(
    services: Services, settings: Settings, tmp_path: Path, place: str
) -> None:
    with MockOpenAI(text(REFUSAL).after(0.02)) as server:
        armed = {"PROOFHOUSE_FAILPOINTS": f"{place}=stop"}
        with worker(settings, tmp_path / "log1", **armed) as first:
            job = start(services, server)
            wait_for(lambda: first.horse().status() == "stopped" or None, 40, "a horse that stands still")
            first.kill()
        assert not now(services, job).status.is_final
        with worker(settings, tmp_path / "log2"):
            completed(services, job, 60)
        assert_the_promise(services, job, server)


@in_depth
@about_redis_alone
def test_a_task_whose_process_dies_at_once_is_run_by_another_worker(
    services: Services, settings: Settings, tmp_path: Path
) -> None:
    with MockOpenAI(text(REFUSAL).after(0.02)) as server:
        with worker(settings, tmp_path / "log1", PROOFHOUSE_FAILPOINTS="popped=kill"):
            job = start(services, server)
            wait_for(
                lambda: "terminated unexpectedly" in (tmp_path / "log1").read_text() or None, 20, "the death of a horse"
            )
        with worker(settings, tmp_path / "log2"):
            completed(services, job, 60)
        assert_the_promise(services, job, server)
