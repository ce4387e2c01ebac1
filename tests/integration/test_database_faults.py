"""What must hold when the database fails: restarts, is away for a while, is full, or does not say that it committed.

Each test checks the whole promise (tests/support/promise.py). While a database is away nothing dies: whoever holds
results keeps them and waits, so nothing is asked twice either, unless the outage outlasts the leases.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import Connection, event
from sqlalchemy import text as sql
from sqlalchemy.exc import OperationalError

from service.domain.jobs import Job
from service.domain.lifecycle import JobStatus
from service.domain.specs import JobSpec, SuiteSpec
from service.generators.base import generators
from service.pipeline.services import Services
from service.pipeline.submit import submit
from service.pipeline.sweep import sweep
from service.settings import Settings
from service.targets.base import targets
from tests.support.breaking import breaking, interrupting
from tests.support.mock_openai import MockOpenAI, text
from tests.support.promise import assert_the_promise, completed, some_done
from tests.support.running import counts, now, run, wind_back
from tests.support.servers import OwnPostgres, own_postgres
from tests.support.specs import REFUSAL, job_spec, plugin
from tests.support.stack import wait_for, worker
from tests.support.thorough import in_depth, times

CASES = 120
CONCURRENCY = 8
RECOVERY_SECONDS = 60
MOST_STATEMENTS = 50
MOST_COMMITS = 12
"""As many as a small job takes, at least; a loss at a later one would not happen."""
EVERY = times(8, thorough=1)
"""At which of the statements and commits something fails: at every one, or every eighth."""


def start(services: Services, server: MockOpenAI, cases: int = CASES) -> Job:
    target = plugin(targets, "openai", base_url=server.base_url, model="m", max_concurrency=CONCURRENCY)
    generator = plugin(generators, "matrix", limit=cases)
    spec = JobSpec(target=target, suite=SuiteSpec(generator=generator), judge=job_spec(1).judge)
    return submit(services, spec, tenant="acme")


class TestPostgresServer:
    """A server of the test's own, real workers."""

    @pytest.fixture
    def postgres(self) -> Iterator[OwnPostgres]:
        with own_postgres() as server:
            yield server

    @pytest.fixture
    def database_url(self, postgres: OwnPostgres) -> str:
        return postgres.url

    @pytest.mark.parametrize("mode", ["immediate", pytest.param("fast", marks=in_depth)])
    def test_restarted_in_the_middle_nothing_is_asked_twice(
        self, services: Services, settings: Settings, postgres: OwnPostgres, tmp_path: Path, mode: str
    ) -> None:
        with MockOpenAI(text(REFUSAL).after(0.1)) as server, worker(settings, tmp_path / "log"):
            job = start(services, server)
            some_done(services, job)
            postgres.stop(mode)
            postgres.start()
            completed(services, job, RECOVERY_SECONDS)
            assert_the_promise(services, job, server)

    @in_depth
    def test_away_for_longer_than_the_leases_only_unsaved_answers_can_be_asked_again(
        self, services: Services, settings: Settings, postgres: OwnPostgres, tmp_path: Path
    ) -> None:
        with (
            MockOpenAI(text(REFUSAL).after(0.1)) as server,
            worker(settings, tmp_path / "log1"),
            worker(settings, tmp_path / "log2"),
        ):
            job = start(services, server, 2 * CASES)
            some_done(services, job)
            saved = counts(services, job).done
            postgres.stop("fast")
            time.sleep(20)
            unsaved = len(server.hits) - saved
            postgres.start()
            completed(services, job, RECOVERY_SECONDS)
            assert_the_promise(services, job, server, lost_in_flight=unsaved)


class TestFullDisk:
    """SQLite with no room left, as far as SQLite can tell."""

    @pytest.fixture
    def database_url(self, sqlite_url: str) -> str:
        return sqlite_url

    @pytest.mark.parametrize("at", [0, 40], ids=["while planning", "while running"])
    def test_the_job_waits_for_room_and_loses_nothing(self, services: Services, at: int) -> None:
        room = Room(services)
        with MockOpenAI(text(REFUSAL * 20).after(0.02)) as server:
            job = start(services, server)
            short = threading.Thread(target=room.run_short, args=(lambda: counts(services, job).done >= at,))
            short.start()
            job = run(services, job)
            short.join()
            assert room.refused > 0
            assert job.status is JobStatus.COMPLETED
            assert_the_promise(services, job, server)


class Room:
    """Lets a SQLite database grow no further from the moment it is told so until it is told otherwise."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._pages: int | None = None
        self.refused = 0
        event.listen(services.store.engine, "begin", self._limit)
        event.listen(services.store.engine, "handle_error", self._count)

    def run_short(self, when: Callable[[], bool]) -> None:
        """Leave no room from a moment on, until something has been refused and two seconds more."""
        wait_for(when, 60, "the moment")
        with self._services.store.read() as session:
            self._pages = session.scalar(sql("PRAGMA page_count"))
        wait_for(lambda: self.refused, 60, "a refusal")
        time.sleep(2)
        self._pages = None

    def _limit(self, connection: Connection) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {self._pages or 1_000_000}")

    def _count(self, _context: object) -> None:
        self.refused += 1


class TestUnansweredCommit:
    """A connection that breaks around one of the commits; tasks run in this process, on both databases."""

    @pytest.mark.parametrize("committed", [True, False], ids=["its answer is lost", "it is lost"])
    def test_whichever_commit_it_is_nothing_is_asked_twice(self, services: Services, committed: bool) -> None:
        for moment in range(1, MOST_COMMITS + 1, EVERY):
            with MockOpenAI(text(REFUSAL)) as server:
                job = start(services, server, 72)
                with breaking(services, moment, committed=committed) as broken:
                    _carry_on(services, job)
                assert broken == [moment], "the job took fewer commits than that"
                assert now(services, job).status is JobStatus.COMPLETED, f"commit {moment}"
                assert_the_promise(services, job, server)


@pytest.mark.parametrize("first", range(1, MOST_STATEMENTS + 1, 10))
def test_whichever_statement_fails_the_job_is_not_given_up_and_nothing_is_asked_twice(
    services: Services, first: int
) -> None:
    for moment in range(first, first + 10, EVERY):
        with MockOpenAI(text(REFUSAL)) as server:
            job = start(services, server, 40)
            with interrupting(services, moment) as interrupted:
                _carry_on(services, job)
            assert len(interrupted) == 1, "the job took fewer statements than that"
            assert now(services, job).status is JobStatus.COMPLETED, f"statement {moment}: {interrupted}"
            assert_the_promise(services, job, server)


def _carry_on(services: Services, job: Job) -> None:
    """As workers and sweepers would: another turn after a failed one, once its leases are over."""
    for _ in range(4):
        with suppress(OperationalError):
            run(services, job)
        if now(services, job).status.is_final:
            return
        wind_back(services)
        sweep(services)
