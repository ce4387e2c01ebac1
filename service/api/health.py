"""Whether the API lives, and whether it can do its work."""

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from flask.views import MethodView
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from service.api.blueprint import Blueprint
from service.api.briefly import connected
from service.api.context import last_checks
from service.api.problems import MEDIA_TYPE, NotReadyError
from service.api.schemas.health import LivenessSchema, NotReadySchema, ReadinessSchema
from service.queue import TaskQueue
from service.store import migrate
from service.store.session import Store

logger = logging.getLogger(__name__)

_UNKNOWN = {"count": None, "message": "Not known while Redis is out of reach."}

blueprint = Blueprint("health", __name__, description="For orchestrators; need no key.")


@blueprint.route("/healthz")
class Liveness(MethodView):
    """The process."""

    @blueprint.response(200, LivenessSchema)
    @blueprint.doc(operationId="health_live")
    def get(self) -> dict[str, str]:
        """Say that the process answers."""
        return {"status": "ok"}


@blueprint.route("/readyz")
class Readiness(MethodView):
    """The process and what it needs."""

    @blueprint.response(200, ReadinessSchema)
    @blueprint.alt_response(503, schema=NotReadySchema, content_type=MEDIA_TYPE, description="A part is missing.")
    @blueprint.doc(operationId="health_ready")
    def get(self) -> dict[str, Any]:
        """Say whether the API can do its work.

        It needs the database, with its tables, and Redis. Workers are counted, but the API is ready without them.
        The answer is up to a second old.
        """
        checks = last_checks().get(_checks)
        if failed := [name for name in ("database", "redis") if checks[name]["status"] == "failed"]:
            raise NotReadyError(f"Not ready: see `checks` for {' and '.join(failed)}.", checks)
        return {"status": "ready", "checks": checks}


def _checks() -> dict[str, Any]:
    with connected() as (store, queue):
        reached = _checked(partial(_redis, queue))
        workers = _workers(queue) if reached["status"] == "ok" else _UNKNOWN
        return {"database": _checked(partial(_database, store)), "redis": reached, "workers": workers}


def _checked(check: Callable[[], str | None]) -> dict[str, Any]:
    """`check` gives what is wrong, or None."""
    fault = check()
    return {"status": "failed" if fault else "ok", "message": fault or "In reach."}


def _database(store: Store) -> str | None:
    try:
        fit = migrate.is_fit(store)
    except SQLAlchemyError as error:
        logger.warning("the database is out of reach: %s", error)
        return "Out of reach: check PROOFHOUSE_DATABASE_URL and that the database runs."
    return None if fit else "Its tables are older than this version, or missing: run `proofhouse db upgrade`."


def _redis(queue: TaskQueue) -> str | None:
    try:
        queue.ping()
    except RedisError as error:
        logger.warning("redis is out of reach: %s", error)
        return "Out of reach: check PROOFHOUSE_REDIS_URL and that Redis runs. Jobs are accepted and wait."
    return None


def _workers(queue: TaskQueue) -> dict[str, Any]:
    try:
        count = len(queue.workers())
    except RedisError:
        return _UNKNOWN
    return {"count": count, "message": "Jobs are worked on." if count else "Jobs are accepted and wait for a worker."}
