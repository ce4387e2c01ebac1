"""A worker's horse, forked for one task, sends its spans before it ends."""

import os

import pytest

from service import tracing
from service.pipeline.services import Services
from service.pipeline.submit import submit
from service.settings import Settings
from tests.support.lives import lives
from tests.support.spans import collector, recorded
from tests.support.specs import job_spec
from tests.support.stack import environment
from workers import tasks
from workers.stopping import stopping


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def horse(environ: dict[str, str], job_id: str) -> None:
    """What a horse does for each of a job's two tasks."""
    os.environ.update(environ)
    stopping.watch()
    tasks.plan_job(job_id)
    tasks.run_batches(job_id)


def test_spans_of_a_forked_horse_are_sent_in_the_trace_of_the_request(services: Services, settings: Settings) -> None:
    with recorded(), tracing.span("request", {}):
        trace_id = tracing.trace_id()
        job = submit(services, job_spec(3), tenant="acme")
    with collector() as server:
        environ = environment(settings) | {"OTEL_EXPORTER_OTLP_ENDPOINT": server.url}
        process = lives.Process(target=horse, args=(environ, job.id))
        process.start()
        process.join(30)
        assert process.exitcode == 0
        assert server.spans() == dict.fromkeys(("plan", "make suite", "run batches", "case"), trace_id)
        assert server.services() == {"proofhouse-worker"}
