"""Workers' lives: each a process of its own that a failpoint may end, all loaded before it is forked."""

import asyncio
import multiprocessing
from collections.abc import Callable

from service import failpoints
from service.domain.jobs import Job
from service.llm import guard
from service.pipeline.deliver import deliver
from service.pipeline.execute import execute
from service.pipeline.plan import plan
from service.pipeline.services import Services
from service.settings import Settings
from workers.worker import preload

lives = multiprocessing.get_context("forkserver")
lives.set_forkserver_preload([__name__])
preload()


def live_through(settings: Settings, job: Job, armed: str = "") -> int | None:
    """One worker's life: what its two tasks do, with places armed; gives the exit code, negative for a signal."""
    return _lived(_run_job, settings, armed, job.id)


def deliver_through(settings: Settings, armed: str = "") -> int | None:
    """The life of a worker that sends webhooks."""
    return _lived(deliver, settings, armed)


def _lived(work: Callable[..., None], settings: Settings, armed: str, *about: str) -> int | None:
    process = lives.Process(target=_live, args=(work, settings, armed, *about))
    process.start()
    process.join(60)
    return process.exitcode


def _live(work: Callable[..., None], settings: Settings, armed: str, *about: str) -> None:
    failpoints.arm(armed)
    guard.allow(settings.allowed_networks)
    work(Services.from_settings(settings), *about)


def _run_job(services: Services, job_id: str) -> None:
    plan(services, job_id)
    asyncio.run(execute(services, job_id, lambda: False))
