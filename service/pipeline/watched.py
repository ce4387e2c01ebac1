"""What logs and traces say of a step: which job it is for, and below which request's span it hangs."""

from collections.abc import Iterator
from contextlib import contextmanager

from structlog.contextvars import bound_contextvars

from service import tracing
from service.domain.jobs import Job, Suite


@contextmanager
def on_job(step: str, job: Job) -> Iterator[None]:
    """A worker's step for a job, below the request that submitted it, however long ago that was."""
    with _watched(step, {"job_id": job.id, "suite_id": job.suite.id, "tenant": job.tenant}, job.traceparent):
        yield


@contextmanager
def on_suite(step: str, suite: Suite) -> Iterator[None]:
    """A worker's step for a suite: below the request that asked for it as such, else below the step of its job."""
    with _watched(step, {"suite_id": suite.id, "tenant": suite.tenant}, suite.traceparent):
        yield


@contextmanager
def _watched(step: str, ids: dict[str, str], parent: str | None) -> Iterator[None]:
    attributes = {f"proofhouse.{name}": value for name, value in ids.items()}
    with tracing.span(step, attributes, kind=tracing.Kind.CONSUMER, parent=parent):
        trace_id = tracing.trace_id()
        with bound_contextvars(**ids, **({"trace_id": trace_id} if trace_id else {})):
            yield
