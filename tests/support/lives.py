"""Workers' lives: each a process of its own that a failpoint may end, all loaded before it is forked."""

import asyncio
import multiprocessing

from service import failpoints
from service.domain.jobs import Job
from service.llm import guard
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
    process = lives.Process(target=_live, args=(settings, job.id, armed))
    process.start()
    process.join(60)
    return process.exitcode


def _live(settings: Settings, job_id: str, armed: str) -> None:
    failpoints.arm(armed)
    guard.allow(settings.allowed_networks)
    services = Services.from_settings(settings)
    plan(services, job_id)
    asyncio.run(execute(services, job_id, lambda: False))
