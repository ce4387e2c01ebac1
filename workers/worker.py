"""The RQ worker: forks a horse for each task, everything that a task needs being loaded before the fork.

Run as `python -m workers.worker` by the supervisor in `__main__.py`.
"""

import logging
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from resource import struct_rusage
from typing import Any

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue, Worker
from rq.job import Job as Task
from rq.serializers import JSONSerializer

from service import failpoints, metrics, tracing
from service.generators.base import generators
from service.judges.base import judges
from service.llm.transport import tls_context
from service.logs import configure
from service.processes import end_with_parent
from service.queue import connect
from service.settings import Settings, log_options
from service.targets.base import targets
from workers import tasks  # loaded before the fork, so that a horse starts in milliseconds
from workers.stopping import stopping

WAIT_SECONDS = 1
TASKS: dict[str | None, Callable[..., None]] = {
    f"{task.__module__}.{task.__name__}": task
    for task in (tasks.plan_job, tasks.make_suite, tasks.run_batches, tasks.deliver_webhooks)
}
CALLED_AFTERWARDS = {b"success_callback_name", b"failure_callback_name", b"stopped_callback_name", b"webhooks"}

logger = logging.getLogger(__name__)


class ProofhouseTask(Task):
    """A task as the queue holds it, which can name our own and no other: who can write to Redis runs no code here."""

    @property
    def func(self) -> Callable[..., None]:
        """What to call.

        Raises:
            KeyError: there is no such task.
        """
        return TASKS[self.func_name]

    def restore(self, raw_data: dict[bytes, bytes]) -> None:
        """Read it without callbacks, which may be any function, and RQ's own webhooks."""
        super().restore({name: value for name, value in raw_data.items() if name not in CALLED_AFTERWARDS})


class ProofhouseWorker(Worker):
    """RQ's worker, but told to stop it tells its horse, which finishes or hands back what it holds."""

    job_class = ProofhouseTask

    def handle_warm_shutdown_request(self) -> None:
        """Pass the first SIGTERM on; RQ by itself would wait for the horse however long that takes."""
        if self.horse_pid:
            with suppress(ProcessLookupError):
                os.kill(self.horse_pid, signal.SIGTERM)  # not its group, which is ours until it has made its own

    def fork_work_horse(self, job: Task, queue: Queue) -> None:
        """Fork. A SIGTERM that came a moment too early is passed on now; one that the horse can't hear yet waits."""
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        try:
            super().fork_work_horse(job, queue)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        if self._stop_requested:
            self.handle_warm_shutdown_request()

    def setup_work_horse_signals(self) -> None:
        """SIGTERM asks the horse to stop in good order instead of ending it."""
        stopping.watch()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})

    def handle_job_success(self, job: Task, queue: Queue, *args: Any, **kwargs: Any) -> None:
        """A task that was queued again while it ran (it handed back its batch) does not expire with this run of it."""
        super().handle_job_success(job, queue, *args, **kwargs)
        if job.id in queue.get_job_ids():
            self.connection.persist(job.key)

    def handle_exception(self, job: Task, *exc_info: Any) -> None:
        """Log that a task failed as everything else is logged; RQ's line would have all that the error says."""
        logger.error("the task %s failed", job.id, exc_info=exc_info)

    def handle_job_failure(self, *args: Any, **kwargs: Any) -> None:
        """Let RQ note in Redis that a task failed, and not what the error says, which may quote what was worked on."""
        super().handle_job_failure(*args, **kwargs | {"exc_string": "The worker's log says why."})

    def wait_for_horse(self) -> tuple[int | None, int | None, struct_rusage | None]:
        """Once the horse is gone, however it went, what it had in flight is gone with it."""
        waited = super().wait_for_horse()
        metrics.forget_child()
        return waited


def preload() -> None:
    """Import every plug-in, and read the trusted authorities, which takes longer than the rest of a task's start."""
    tls_context()
    for registry in (generators, targets, judges):
        registry.discover()


def wait_for(redis: Redis) -> None:
    """Return once Redis answers. To end instead, and be started again, would cost seconds of a processor each time."""
    told = False
    while True:
        try:
            redis.ping()
        except RedisError as error:
            if not told:
                logger.warning("redis is out of reach, waiting for it: %s", error)
            told = True
            time.sleep(WAIT_SECONDS)
        else:
            return


def main() -> None:
    """Work until told to stop."""
    end_with_parent()
    configure(*log_options())
    settings = Settings.from_env()
    tracing.load()
    failpoints.arm(settings.failpoints)
    preload()
    metrics.start_at_zero()
    redis = connect(settings.redis_url)
    wait_for(redis)
    # One queue only: with several, RQ pops with BLPOP, and a crash right after loses the task for good (rq #381).
    worker = ProofhouseWorker(
        [settings.queue],
        connection=redis,
        serializer=JSONSerializer,
        maintenance_interval=60,
        worker_ttl=30,
        job_monitoring_interval=10,
        log_job_description=False,
    )
    worker.work(logging_level=logging.getLevelName(logging.getLogger("rq").getEffectiveLevel()))


if __name__ == "__main__":
    main()
