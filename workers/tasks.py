"""The tasks that RQ runs, each a sentence; what they do stands in service.pipeline."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from structlog.contextvars import bound_contextvars

from service import tracing
from service.failpoints import failpoint
from service.llm import guard
from service.pipeline import plan
from service.pipeline.deliver import deliver
from service.pipeline.execute import execute
from service.pipeline.services import Services
from service.settings import Settings
from workers.stopping import stopping


def plan_job(job_id: str) -> None:
    """Make the job's suite and cut the job into batches."""
    with _services(job_id=job_id) as services:
        plan.plan(services, job_id, stopping)


def make_suite(suite_id: str) -> None:
    """Make a suite that was asked for by itself."""
    with _services(suite_id=suite_id) as services:
        plan.make_suite(services, suite_id, stopping)


def run_batches(job_id: str) -> None:
    """Run batches of the job that nobody works on."""
    with _services(job_id=job_id) as services:
        asyncio.run(execute(services, job_id, stopping))


def deliver_webhooks() -> None:
    """Send webhooks that are due."""
    with _services() as services:
        deliver(services)


@contextmanager
def _services(**about: str) -> Iterator[Services]:
    """Connections and threads of this process's own: none is shared across the fork. Lines say what they are about."""
    failpoint("popped")
    settings = Settings.from_env()
    guard.allow(settings.allowed_networks)
    services = Services.from_settings(settings)
    tracing.start("worker")
    try:
        with bound_contextvars(**about):
            yield services
    finally:
        services.close()
        tracing.stop()
