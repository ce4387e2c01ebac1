"""How the worker is set up, and how the processes of one worker are started, stopped and started again."""

import json
import logging
import operator
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import httpx2
import psutil
import pytest
from rq import Callback, Queue, SimpleWorker
from rq.job import Job as Task
from rq.serializers import JSONSerializer

from service import failpoints
from service.domain.lifecycle import JobStatus
from service.logs.lines import formatter
from service.pipeline.plan import plan
from service.pipeline.services import Services
from service.pipeline.submit import submit
from service.pipeline.wake import PLAN, RUN
from service.settings import Settings
from service.targets.base import targets
from tests.support.mock_openai import MockOpenAI, text
from tests.support.running import now, wind_back
from tests.support.specs import REFUSAL, job_spec, plugin
from tests.support.stack import WorkerProcess, environment, still_running, wait_for, worker
from workers import stopping, tasks
from workers import worker as module
from workers.sweep import sweep_once
from workers.worker import ProofhouseTask, ProofhouseWorker

FIRST_TASK = """
import sys
from workers.worker import preload

preload()
loaded = set(sys.modules)

import json
from workers.stopping import stopping
from workers.tasks import plan_job, run_batches

stopping.watch()
plan_job(sys.argv[1])
run_batches(sys.argv[1])
print(json.dumps(sorted(set(sys.modules) - loaded)))
"""
HEAVY = ("service", "workers", "openai", "aiohttp", "httpx2", "sqlalchemy.dialects", "marshmallow", "cryptography")


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The database makes no difference here."""
    return sqlite_url


Main = Callable[..., ProofhouseWorker]


@pytest.fixture
def main(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Main:
    """Runs `main` under these variables up to the moment when its worker would begin to work; gives the worker."""
    made: list[ProofhouseWorker] = []
    monkeypatch.setattr(module, "end_with_parent", lambda: None)
    monkeypatch.setattr(module, "configure", lambda *_: None)
    monkeypatch.setattr(ProofhouseWorker, "work", lambda self, **_: made.append(self))

    def run(**variables: str) -> ProofhouseWorker:
        for name, value in (environment(settings) | variables).items():
            monkeypatch.setenv(name, value)
        module.main()
        return made[0]

    return run


@pytest.fixture
def started(main: Main) -> ProofhouseWorker:
    return main()


@pytest.fixture
def horse() -> Iterator[psutil.Popen]:
    """A process that leads a group of its own, as RQ's horses do."""
    process = psutil.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True)
    yield process
    if process.is_running():
        process.kill()
    process.wait(5)
    process.stdin.close()


def test_a_worker_listens_to_one_queue(started: ProofhouseWorker, settings: Settings) -> None:
    """With two, RQ would lose a task whose worker dies right after the pop."""
    assert started.queue_names() == [settings.queue]


def test_a_worker_reads_json_and_never_a_pickle(started: ProofhouseWorker) -> None:
    assert started.serializer is JSONSerializer


def test_a_worker_shares_the_connection_settings_of_the_service(started: ProofhouseWorker) -> None:
    options = started.connection.connection_pool.connection_kwargs
    assert options["socket_connect_timeout"] == 2


@pytest.fixture
def _disarmed() -> Iterator[None]:
    yield
    failpoints.arm("")


@pytest.mark.usefixtures("_disarmed")
def test_a_worker_arms_the_places_that_it_is_told(main: Main) -> None:
    main(PROOFHOUSE_FAILPOINTS="here=raise")
    with pytest.raises(failpoints.FailpointError):
        failpoints.failpoint("here")


@pytest.mark.parametrize("name", [PLAN, RUN])
def test_the_names_by_which_tasks_are_queued_are_those_of_functions(name: str) -> None:
    folder, _, function = name.rpartition(".")
    assert folder == tasks.__name__
    assert callable(getattr(tasks, function))


def test_a_worker_told_to_stop_passes_it_on_to_its_horse(started: ProofhouseWorker, horse: psutil.Popen) -> None:
    started._horse_pid = horse.pid
    started.handle_warm_shutdown_request()
    assert horse.wait(5) == -signal.SIGTERM


def test_a_worker_without_a_horse_can_be_told_to_stop(started: ProofhouseWorker) -> None:
    started.handle_warm_shutdown_request()


def test_a_horse_watches_for_the_signal_that_its_worker_passes_on(
    started: ProofhouseWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched: list[bool] = []
    monkeypatch.setattr(stopping.Stopping, "watch", lambda _: watched.append(True))
    started.setup_work_horse_signals()
    assert watched == [True]


def test_a_task_loads_nothing_that_its_worker_had_not_loaded_before_the_fork(
    services: Services, settings: Settings
) -> None:
    with MockOpenAI(text(REFUSAL)) as server:
        target = plugin(targets, "openai", base_url=server.base_url, model="m")
        job = submit(services, job_spec(3, target=target), tenant="acme")
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-c", FIRST_TASK, job.id],
            env=environment(settings),
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
    assert now(services, job).status is JobStatus.COMPLETED
    late = [name for name in json.loads(done.stdout) if name.startswith(HEAVY)]
    assert late == []


class InThisProcess(ProofhouseWorker, SimpleWorker):
    """Runs tasks without forking, and leaves this process's signals alone."""

    execute_job = SimpleWorker.execute_job

    def _install_signal_handlers(self) -> None:
        pass


@pytest.fixture
def run_next_task(services: Services, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Runs the task that waits, in this process, which is told to stop."""
    for name, value in environment(settings).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(tasks, "stopping", lambda: True)
    running = InThisProcess([settings.queue], connection=services.redis, serializer=JSONSerializer)

    def run() -> None:
        running.work(burst=True, max_jobs=1, logging_level="WARNING")

    return run


def seconds_left(services: Services, task_id: str) -> int:
    """How long RQ remembers a task; -1 for ever. It drops a waiting task that it no longer remembers."""
    left: int = services.redis.ttl(f"rq:job:{task_id}")
    return left


def test_a_task_queued_again_while_it_runs_waits_for_as_long_as_it_takes(
    services: Services, run_next_task: Callable[[], None]
) -> None:
    """A worker that hands back its lowest batch queues a task of the same id as the one that it is running."""
    job = submit(services, job_spec(3), tenant="acme")
    services.redis.delete(f"rq:queue:{services.queue.name}")
    plan(services, job.id)
    run_next_task()
    (task_id,) = services.queue.waiting()
    assert seconds_left(services, task_id) == -1


def test_a_task_queued_again_after_it_has_ended_waits_for_as_long_as_it_takes(
    services: Services, run_next_task: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    task_id = f"again-{services.queue.name}"
    monkeypatch.setitem(module.TASKS, "operator.truth", operator.truth)
    services.queue.enqueue("operator.truth", "x", task_id=task_id)
    run_next_task()
    assert seconds_left(services, task_id) > 0
    services.queue.enqueue("operator.truth", "x", task_id=task_id)
    assert seconds_left(services, task_id) == -1


def test_a_task_that_fails_is_told_of_without_what_its_error_says(
    services: Services,
    run_next_task: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    task_id = f"failing-{services.queue.name}"
    monkeypatch.setitem(module.TASKS, "builtins.int", int)
    services.queue.enqueue("builtins.int", "canary", task_id=task_id)
    run_next_task()
    (record,) = [record for record in caplog.records if record.exc_info]
    assert record.getMessage() == f"the task {task_id} failed"
    assert "canary" not in formatter(as_json=True, with_words=False).format(record)
    assert "canary" not in "".join(one.getMessage() for one in caplog.records if one.levelno >= logging.INFO)
    [result] = Task.fetch(task_id, services.redis, serializer=JSONSerializer).results()
    assert result.exc_string == "The worker's log says why."


def test_no_function_but_our_tasks_can_be_called_by_who_can_write_to_redis(
    services: Services, run_next_task: Callable[[], None], tmp_path: Path
) -> None:
    made, queue = tmp_path / "made", Queue(services.queue.name, connection=services.redis, serializer=JSONSerializer)
    queue.enqueue("os.mkdir", str(made), job_id=f"foreign-{services.queue.name}")
    run_next_task()
    told = {"on_success": Callback("os.mkdir"), "on_failure": Callback("os.mkdir")}
    task = queue.enqueue("workers.tasks.deliver_webhooks", job_id=f"told-{services.queue.name}", **told)
    read = ProofhouseTask.fetch(task.id, services.redis, serializer=JSONSerializer)
    assert (read.success_callback, read.failure_callback, read.stopped_callback, read.webhooks) == (None,) * 3 + ([],)
    assert not made.exists()


def test_a_sweep_survives_a_database_that_is_away(
    services: Services, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    away = Services.from_settings(replace(settings, database_url="sqlite:////nonexistent/folder/x.db"))
    sweep_once(away)
    away.close()
    assert "the sweep failed; trying again" in caplog.text


def test_a_sweep_survives_a_redis_that_is_away(services: Services, settings: Settings) -> None:
    submit(services, job_spec(1), tenant="acme")
    wind_back(services)
    away = Services.from_settings(replace(settings, redis_url="unix:///nonexistent/redis.sock"))
    sweep_once(away)
    away.close()


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number: int = free.getsockname()[1]
    return number


def test_the_sweeper_serves_the_workers_metrics_and_ends_when_told_to(settings: Settings, port: int) -> None:
    environ = environment(settings) | {"PROOFHOUSE_WORKER_METRICS_PORT": str(port)}
    process = psutil.Popen([sys.executable, "-m", "workers.sweep"], env=environ)
    try:
        assert "proofhouse_build_info" in wait_for(lambda: scraped(port), 40, "the metrics")
        process.terminate()
        assert process.wait(10) == 0
    finally:
        if process.is_running():
            process.kill()


def scraped(port: int) -> str | None:
    try:
        return httpx2.get(f"http://127.0.0.1:{port}/metrics").text
    except httpx2.HTTPError:
        return None


@pytest.fixture
def running(services: Services, settings: Settings, tmp_path: Path) -> Iterator[WorkerProcess]:
    with worker(settings, tmp_path / "log") as started:
        wait_for(lambda: services.queue.workers() or None, 40, "the worker")
        yield started


def test_a_killed_worker_is_started_again(running: WorkerProcess) -> None:
    first = pid_of(running)
    assert first
    psutil.Process(first).kill()
    wait_for(lambda: pid_of(running) not in {None, first}, 40, "another worker")


def pid_of(running: WorkerProcess) -> int | None:
    """The process id of the RQ worker, unless it is just dying."""
    with suppress(psutil.NoSuchProcess):
        found = running.rq_worker()
        return found.pid if found else None
    return None


def test_all_processes_of_a_worker_end_when_it_is_told_to(running: WorkerProcess) -> None:
    family = running.family()
    assert len(family) == 3
    running.stop(10)
    assert still_running(family, 1) == []


def test_all_processes_of_a_worker_end_when_their_supervisor_is_killed(running: WorkerProcess) -> None:
    family = running.family()
    running.process.kill()
    running.process.wait(5)
    assert len(family) == 3
    assert still_running(family, 10) == []
