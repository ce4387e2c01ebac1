"""A worker's own clock may jump: whatever decides about a job goes by the database's clock or a monotonic one."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, tzinfo

import pytest

from service.domain.lifecycle import JobStatus
from service.domain.specs import Limits
from service.pipeline.services import Services
from service.pipeline.submit import submit
from service.targets.base import targets
from tests.support.mock_openai import MockOpenAI, text
from tests.support.promise import assert_the_promise
from tests.support.running import run
from tests.support.specs import REFUSAL, job_spec, plugin

USERS = ("jobs", "results", "suites")
"""Modules of the store that note when something happened."""


@contextmanager
def jumping(monkeypatch: pytest.MonkeyPatch, hours: int, after: float) -> Iterator[threading.Event]:
    """This process's wall clock jumps after so many seconds; the event says that it has."""
    real_time, jumped = time.time, threading.Event()

    def offset() -> float:
        return 3600.0 * hours if jumped.is_set() else 0.0

    class Jumpy(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + timedelta(seconds=offset())

    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: real_time() + offset())
        for module in USERS:
            patch.setattr(f"service.store.{module}.datetime", Jumpy)
        timer = threading.Timer(after, jumped.set)
        timer.start()
        yield jumped
        timer.join()


@pytest.mark.parametrize("hours", [1, -1])
def test_the_clock_jumps_in_the_middle_and_the_job_completes_as_if_nothing_had_been(
    services: Services, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    with MockOpenAI(text(REFUSAL).after(0.1)) as server, jumping(monkeypatch, hours, after=1.0) as jumped:
        target = plugin(targets, "openai", base_url=server.base_url, model="m", max_concurrency=4)
        spec = job_spec(100, target=target, limits=Limits(max_duration_seconds=600))
        job = run(services, submit(services, spec, tenant="acme"))
        assert jumped.is_set()
        assert job.status is JobStatus.COMPLETED
        assert 1 < job.active_seconds < 60
        assert_the_promise(services, job, server)
