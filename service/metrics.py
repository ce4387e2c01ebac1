"""Every metric, defined once. Names and labels are part of the contract with dashboards; labels are bounded.

Workers fork a process for each task, and a process counts in memory of its own. With PROMETHEUS_MULTIPROC_DIR set,
counts go to files there that outlive a process: one set of files a slot, where a slot is what one process at a time
writes to (a worker, or an API process), so that files do not pile up by process id. PROOFHOUSE_METRICS_SLOT names the
slot of this process; processes that run side by side need different ones. A fork writes to files of its own beside its
parent's, and goes on counting from what the fork before it left there.
"""

import os
import platform
import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    multiprocess,
    values,
)

from service.domain.deliveries import AttemptResult
from service.domain.lifecycle import FINAL
from service.domain.verdicts import Disposition, Verdict

MULTIPROC_DIR = os.environ.get("PROMETHEUS_MULTIPROC_DIR")


class _Slot:
    """Who this process is to prometheus_client, which reopens its files and reads them again when that changes."""

    def __init__(self, name: str) -> None:
        self.depth = 0
        self.name = name

    def identity(self, depth: int) -> str:
        # Files are named {type}_{identity}.db and taken apart at the underscores.
        return f"{re.sub('[^A-Za-z0-9.-]', '-', self.name)}.{depth}"

    def current(self) -> str:
        return self.identity(self.depth)

    def forked(self) -> None:
        self.depth += 1
        _calls_in_flight.clear()


_calls_in_flight: dict[str, int] = {}
_slot = _Slot(os.environ.get("PROOFHOUSE_METRICS_SLOT", "0"))
os.register_at_fork(after_in_child=_slot.forked)
disable_created_metrics()  # a series a series, of use to nobody here, and not kept across processes
if MULTIPROC_DIR:
    os.makedirs(MULTIPROC_DIR, exist_ok=True)  # noqa: PTH103 - Path would be the only use of it here
    # Looked up by every metric when it is made, hence before the first of them.
    values.ValueClass = values.MultiProcessValue(process_identifier=_slot.current)

_HTTP_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_MODEL_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120)
_ROLES = ("target", "judge", "generator")
_JOB_SECONDS = (1, 5, 15, 60, 300, 900, 1800, 3600, 2 * 3600, 6 * 3600, 24 * 3600)

BUILD_INFO = Gauge(
    "proofhouse_build_info",
    "Always 1; the labels say which version runs on which Python.",
    ["version", "python"],
    multiprocess_mode="max",
)
BUILD_INFO.labels(version("proofhouse"), platform.python_version()).set(1)
HTTP_REQUEST_DURATION = Histogram(
    "proofhouse_http_request_duration_seconds",
    "Seconds from an API request's arrival to the end of its response, by route template.",
    ["method", "route", "status"],
    buckets=_HTTP_SECONDS,
)
JOBS_FINISHED = Counter("proofhouse_jobs_finished_total", "Jobs that reached a final status.", ["status"])
JOB_DURATION = Histogram(
    "proofhouse_job_duration_seconds",
    "Seconds from the creation of a job to its final status, time in the queue and pauses included.",
    buckets=_JOB_SECONDS,
)
CASES = Counter(
    "proofhouse_cases_total",
    "Cases with a stored result, by what became of the call and by verdict (`none` after an error).",
    ["disposition", "verdict"],
)
MODEL_REQUEST_DURATION = Histogram(
    "proofhouse_model_request_duration_seconds",
    "Seconds of one HTTP request to a model, from sending it to the whole answer or its failure.",
    ["role"],
    buckets=_MODEL_SECONDS,
)
MODEL_REQUESTS = Counter(
    "proofhouse_model_requests_total",
    "HTTP requests to models, retries included; outcome is ok, blocked or an error code of docs/errors.md.",
    ["role", "outcome"],
)
MODEL_RETRIES = Counter(
    "proofhouse_model_retries_total",
    "Failed requests to models that were tried again, by error code.",
    ["role", "reason"],
)
MODEL_TOKENS = Counter(
    "proofhouse_model_tokens_total",
    "Tokens as the models' servers count them; direction is prompt or completion.",
    ["role", "direction"],
)
MODEL_IN_FLIGHT = Gauge(
    "proofhouse_model_in_flight",
    "HTTP requests to models that are under way.",
    ["role"],
    multiprocess_mode="livesum",
)
WEBHOOK_DELIVERIES = Counter(
    "proofhouse_webhook_deliveries_total",
    "Attempts to deliver a webhook, by result.",
    ["result"],
)


def start_at_zero() -> None:
    """Expose the counters whose labels are known at 0, for a worker: what appears with its first count hides it.

    Rates are differences between two scrapes, so that all that comes before the first of them would be missed.
    """
    for disposition in Disposition:
        for verdict in (*(verdict.value for verdict in Verdict), "none"):
            if disposition is not Disposition.ERROR or verdict == "none":
                CASES.labels(disposition.value, verdict)
    for status in FINAL:
        JOBS_FINISHED.labels(status.value)
    for result in AttemptResult:
        WEBHOOK_DELIVERIES.labels(result.value)
    for role in _ROLES:
        MODEL_REQUESTS.labels(role, "ok")
        MODEL_REQUEST_DURATION.labels(role)
        MODEL_TOKENS.labels(role, "prompt")
        MODEL_TOKENS.labels(role, "completion")


@contextmanager
def model_in_flight(role: str) -> Iterator[None]:
    """Count one request to a model as under way.

    The number is set and not increased: what a killed process left in the slot's file does not stay there.
    """
    _calls_in_flight[role] = _calls_in_flight.get(role, 0) + 1
    MODEL_IN_FLIGHT.labels(role).set(_calls_in_flight[role])
    try:
        yield
    finally:
        _calls_in_flight[role] -= 1
        MODEL_IN_FLIGHT.labels(role).set(_calls_in_flight[role])


def use_slot(name: str) -> None:
    """Give this process a slot of its own; for servers that fork several processes to run side by side."""
    _slot.name = name


def forget_child() -> None:
    """Drop the gauges of this process's last forked child, for a parent that saw it end, however it ended."""
    if MULTIPROC_DIR:
        # Typed for process ids, but only ever a part of the files' names.
        multiprocess.mark_process_dead(_slot.identity(_slot.depth + 1), MULTIPROC_DIR)


def collected() -> CollectorRegistry:
    """A registry to expose at /metrics, holding the counts of all slots; collectors read at scrape time join it."""
    registry = CollectorRegistry()
    if MULTIPROC_DIR:
        multiprocess.MultiProcessCollector(registry, MULTIPROC_DIR)
    else:
        for metric in (BUILD_INFO, HTTP_REQUEST_DURATION, JOBS_FINISHED, JOB_DURATION, CASES, *_MODEL):
            registry.register(metric)
    return registry


_MODEL = (MODEL_REQUEST_DURATION, MODEL_REQUESTS, MODEL_RETRIES, MODEL_TOKENS, MODEL_IN_FLIGHT, WEBHOOK_DELIVERIES)
