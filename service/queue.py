"""The only import of RQ in the service: tasks are sent by dotted name, and the queue is looked at without touching it.

Nothing here decides what is true: the database does. A task that gets lost is queued again by the sweeper.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from redis import Redis
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue, Worker
from rq.job import Job as Task
from rq.serializers import JSONSerializer
from rq.utils import as_text, utcparse

from service.errors import UnavailableError

RESULT_SECONDS = 60
"""How long RQ remembers a finished task: long enough to look at, never a source of truth."""
FAILURE_SECONDS = 3600
CONNECT_SECONDS, ANSWER_SECONDS = 2, 5
NO_TIMEOUT = -1
"""Tasks end themselves (time slices, leases); RQ's alarm would interrupt a database transaction."""


@dataclass(frozen=True, slots=True)
class WorkerState:
    """A worker as it last reported itself."""

    name: str
    state: str
    """`idle`, `busy`, `started` or `suspended`."""


def connect(redis_url: str, *, answer_seconds: float | None = None, retries: int = 3) -> Redis:
    """A Redis client that gives up on a dead or silent server within seconds instead of hanging.

    A connection that was cut is opened again a few times. A server that doesn't answer isn't asked again: it may have
    done what it was told, and whoever waits has waited long enough.
    """
    retry = Retry(ExponentialBackoff(cap=1, base=0.05), retries=retries, supported_errors=(RedisConnectionError,))
    times = {"socket_connect_timeout": CONNECT_SECONDS, "socket_timeout": answer_seconds or ANSWER_SECONDS}
    return Redis.from_url(redis_url, retry=retry, health_check_interval=15, **times)


class TaskQueue:
    """Where tasks wait for a worker."""

    def __init__(self, redis: Redis, name: str) -> None:
        self.name = name
        self._redis = redis
        self._queue = Queue(name, connection=redis, serializer=JSONSerializer, default_timeout=NO_TIMEOUT)

    def enqueue(self, task: str, *args: str, task_id: str, at_front: bool = False) -> bool:
        """Queue a task unless one of that id waits already; says whether it did. `at_front`: before all others.

        Raises:
            UnavailableError: Redis is out of reach.
        """
        try:
            if task_id in self._queue.get_job_ids():
                return False
            ttl = {"result_ttl": RESULT_SECONDS, "failure_ttl": FAILURE_SECONDS}
            self._queue.enqueue(task, *args, job_id=task_id, at_front=at_front, **ttl)
            # Or else it would expire, and so be dropped, when the last task of this id does.
            self._redis.persist(Task.key_for(task_id))
        except RedisError as error:
            raise UnavailableError("Redis is out of reach; try again shortly.", code="redis_unavailable") from error
        return True

    def waiting(self) -> list[str]:
        """The ids of the tasks that wait, next first.

        Raises:
            UnavailableError: Redis is out of reach.
        """
        try:
            return list(self._queue.get_job_ids())
        except RedisError as error:
            raise UnavailableError("Redis is out of reach; try again shortly.", code="redis_unavailable") from error

    def depth(self) -> int:
        """How many tasks wait."""
        return int(self._redis.llen(self._queue.key))

    def oldest_age_seconds(self) -> float:
        """How long the task that is next has been waiting; 0 when none waits."""
        waiting = self._queue.get_job_ids(0, 1)
        queued_at = self._redis.hget(Task.key_for(waiting[0]), "enqueued_at") if waiting else None
        return (datetime.now(UTC) - utcparse(as_text(queued_at))).total_seconds() if queued_at else 0.0

    def workers(self) -> list[WorkerState]:
        """The workers that listen here and have been heard of lately."""
        states = []
        for key in Worker.all_keys(queue=self._queue):
            state = self._redis.hget(key, "state")
            if state is not None:
                states.append(WorkerState(key.rsplit(":", 1)[-1], as_text(state)))
        return states

    def ping(self) -> None:
        """Raises redis.RedisError when Redis is out of reach."""
        self._redis.ping()
