"""Models may write suites on all workers but one, so that jobs get on meanwhile."""

import pytest
from sqlalchemy import text as sql

from service.domain.jobs import Job, Suite, SuiteStatus
from service.domain.lifecycle import JobStatus
from service.domain.specs import PluginSpec, SuiteSpec
from service.generators.base import generators
from service.pipeline.plan import make_suite, plan
from service.pipeline.services import Services
from service.pipeline.submit import submit, submit_suite
from service.pipeline.sweep import sweep
from service.queue import TaskQueue, WorkerState
from service.store import making, suites
from service.store.making import Made
from tests.support.plugged import Counting, plugged
from tests.support.running import now, wind_back
from tests.unit.pipeline.test_submit import on_suite

TENANT = "acme"
BY_A_MODEL = {"size": 3, "max_concurrency": 4}


def new(services: Services, options: dict[str, int]) -> Suite:
    return submit_suite(services, SuiteSpec(generator=PluginSpec("of_a_test", options)), None, tenant=TENANT)


def status_now(services: Services, suite: Suite) -> SuiteStatus:
    with services.store.read() as session:
        return suites.get(session, TENANT, suite.id).status


@pytest.fixture
def one_is_made(services: Services) -> Suite:
    """A suite that another worker is making."""
    with plugged(generators, Counting):
        suite = new(services, BY_A_MODEL)
    with services.store.write() as session:
        assert making.claim(session, suite.id, "another") == 1
    return suite


def workers(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    states = [WorkerState(str(number), "busy") for number in range(count)]
    monkeypatch.setattr(TaskQueue, "workers", lambda _: states)


@pytest.mark.usefixtures("one_is_made")
@pytest.mark.parametrize(
    ("count", "options", "status"),
    [
        (1, BY_A_MODEL, SuiteStatus.GENERATING),
        (2, BY_A_MODEL, SuiteStatus.GENERATING),
        (3, BY_A_MODEL, SuiteStatus.READY),
        (2, {"size": 3}, SuiteStatus.READY),
    ],
    ids=["the only worker is taken", "the last worker is kept", "one more is left", "no model is asked"],
)
def test_a_worker_is_left_for_jobs_while_models_write_suites(
    services: Services,
    monkeypatch: pytest.MonkeyPatch,
    count: int,
    options: dict[str, int],
    status: SuiteStatus,
) -> None:
    workers(monkeypatch, count)
    with plugged(generators, Counting):
        suite = new(services, options)
        make_suite(services, suite.id)
    assert status_now(services, suite) is status


def test_a_lone_worker_makes_a_suite_all_the_same(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    workers(monkeypatch, 1)
    with plugged(generators, Counting):
        suite = new(services, BY_A_MODEL)
        make_suite(services, suite.id)
    assert status_now(services, suite) is SuiteStatus.READY


def test_a_suite_left_for_later_is_made_once_there_is_room_however_often_it_was_left(
    services: Services, one_is_made: Suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    workers(monkeypatch, 2)
    with plugged(generators, Counting):
        suite = new(services, BY_A_MODEL)
        job = submit(services, on_suite(suite.id), tenant=TENANT)
        for _ in range(5):
            plan(services, job.id)
        assert now(services, job).status is JobStatus.GENERATING
        with services.store.write() as session:
            suites.remove(session, one_is_made.id)
        lose_tasks(services)
        wind_back(services)
        assert sweep(services) == 2
        plan(services, job.id)
    assert now(services, job).status is JobStatus.RUNNING


def lose_tasks(services: Services) -> None:
    services.redis.delete(f"rq:queue:{services.queue.name}")


def be_due(services: Services) -> None:
    """Let jobs and suites be due to be woken, while leases hold."""
    with services.store.write() as session:
        session.execute(sql("UPDATE jobs SET wake_at = 0"))
        session.execute(sql("UPDATE suites SET wake_at = 0"))


@pytest.fixture
def waiting(services: Services, one_is_made: Suite) -> Job:
    """A job whose suite another worker is making."""
    job = submit(services, on_suite(one_is_made.id), tenant=TENANT)
    plan(services, job.id)
    lose_tasks(services)
    return job


@pytest.mark.usefixtures("waiting")
def test_no_task_is_queued_for_a_suite_that_is_being_made(services: Services) -> None:
    """It could do nothing, and a worker would leave the job it runs for it."""
    be_due(services)
    assert sweep(services) == 0
    assert services.queue.waiting() == []


def test_a_job_whose_suite_lost_its_maker_is_found_again(services: Services, one_is_made: Suite, waiting: Job) -> None:
    wind_back(services)
    assert sweep(services) == 2
    assert set(services.queue.waiting()) == {f"{waiting.id}-plan", f"{one_is_made.id}-make"}


def test_a_job_whose_suite_was_made_by_a_worker_that_then_died_is_found_again(
    services: Services, one_is_made: Suite, waiting: Job
) -> None:
    with services.store.write() as session:
        making.freeze(session, one_is_made.id, Made(3, 0, "sha256:0"))
    wind_back(services)
    assert sweep(services) == 1
    assert services.queue.waiting() == [f"{waiting.id}-plan"]


@pytest.mark.usefixtures("one_is_made")
def test_no_task_is_queued_for_a_suite_that_no_worker_can_be_spared_for(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    workers(monkeypatch, 2)
    with plugged(generators, Counting):
        job = submit(services, on_suite(new(services, BY_A_MODEL).id), tenant=TENANT)
        plan(services, job.id)
    lose_tasks(services)
    be_due(services)
    assert sweep(services) == 0
    assert services.queue.waiting() == []
