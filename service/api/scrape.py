"""/metrics: the counts of this machine's processes, and the state of jobs and queue at this moment."""

import logging
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from flask import Response
from flask.views import MethodView
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from service import metrics
from service.api.auth import SECURITY_SCHEME, require
from service.api.blueprint import Blueprint
from service.api.briefly import connected
from service.api.context import last_state, settings
from service.domain.lifecycle import JobStatus
from service.domain.roles import Role
from service.queue import TaskQueue
from service.store import jobs, waking
from service.store.session import Store

logger = logging.getLogger(__name__)

blueprint = Blueprint("metrics", __name__, description="For Prometheus.")

WORKER_STATES = ("busy", "idle", "started", "suspended")


@blueprint.route("/metrics")
class Metrics(MethodView):
    """All metrics."""

    @blueprint.response(200, {"type": "string"}, content_type="text/plain", description="Prometheus' text format.")
    @blueprint.problems(401)
    @blueprint.doc(operationId="metrics_retrieve", security=[{}, {SECURITY_SCHEME: []}])
    def get(self) -> Response:
        """Give all metrics in Prometheus' text format.

        Open by default; with PROOFHOUSE_METRICS_PUBLIC=false it needs a key of any role. Jobs, queue and workers are
        counted at most once a second, and by one of several scrapes at once; the others get what was counted last.
        """
        if not settings().metrics_public:
            require(Role.READER)
        registry = metrics.collected()
        registry.register(_State(last_state().get(_state)))
        return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class _State(Collector):
    """What was found out about database and queue, among the counts."""

    def __init__(self, found: list[Metric]) -> None:
        self._found = found

    def describe(self) -> Iterable[Metric]:
        """Nothing in advance; else registering would go through all of it."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """All of it."""
        return iter(self._found)


def _state() -> list[Metric]:
    """What can't be read soon is left out, and said to be away: a scrape never fails or hangs."""
    up = GaugeMetricFamily(
        "proofhouse_dependency_up", "Whether it answered this scrape: 1 or 0, by name.", labels=["name"]
    )
    state: list[Metric] = [up]
    with connected() as (store, queue):
        for name, read in (("database", partial(_jobs, store)), ("redis", partial(_queue, queue))):
            found = _or_nothing(read)
            up.add_metric([name], bool(found))
            state += found
    return state


def _jobs(store: Store) -> list[Metric]:
    with store.read() as session:
        counts = jobs.count_by_status(session)
        stall = waking.longest_stall_seconds(session)
        wait = waking.longest_wait_seconds(session)
    family = GaugeMetricFamily("proofhouse_jobs", "Jobs by status.", labels=["status"])
    for status in JobStatus:
        family.add_metric([status.value], counts.get(status, 0))
    stalled = GaugeMetricFamily(
        "proofhouse_job_stalled_seconds",
        "Seconds since a result was stored for the running job that has waited longest for one; 0 if none runs.",
        value=stall,
    )
    waiting = GaugeMetricFamily(
        "proofhouse_job_waiting_seconds",
        "Seconds since the creation of the oldest queued job that no worker has begun; 0 if none waits.",
        value=wait,
    )
    return [family, stalled, waiting]


def _queue(queue: TaskQueue) -> list[Metric]:
    depth = GaugeMetricFamily("proofhouse_queue_depth", "Tasks that wait for a worker.", labels=["queue"])
    depth.add_metric([queue.name], queue.depth())
    age = GaugeMetricFamily(
        "proofhouse_queue_oldest_age_seconds", "How long the next task has been waiting.", labels=["queue"]
    )
    age.add_metric([queue.name], queue.oldest_age_seconds())
    return [depth, age, _workers(queue)]


def _workers(queue: TaskQueue) -> Metric:
    states = [worker.state for worker in queue.workers()]
    family = GaugeMetricFamily("proofhouse_workers", "Workers heard of lately, by state.", labels=["state"])
    for state in WORKER_STATES:
        family.add_metric([state], states.count(state))
    return family


def _or_nothing(read: Callable[[], list[Metric]]) -> list[Metric]:
    try:
        return read()
    except (RedisError, SQLAlchemyError) as error:
        logger.warning("left out of the metrics: %s", error)
        return []
