"""The queue over a real Valkey, and what reading it leaves alone."""

import socket
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue, Worker
from rq.serializers import JSONSerializer

from service.errors import UnavailableError
from service.queue import TaskQueue, WorkerState, connect

TASK = "workers.tasks.made_up"
READS: list[Callable[[TaskQueue], object]] = [
    TaskQueue.waiting,
    TaskQueue.depth,
    TaskQueue.oldest_age_seconds,
    TaskQueue.workers,
    TaskQueue.ping,
]


@pytest.fixture
def redis(valkey_url: str) -> Iterator[Redis]:
    with connect(valkey_url) as client:
        yield client


@pytest.fixture
def queue(redis: Redis) -> TaskQueue:
    """A queue that no other test uses."""
    return TaskQueue(redis, f"queue-{uuid.uuid4()}")


def rq_queue(redis: Redis, queue: TaskQueue) -> Queue:
    return Queue(queue.name, connection=redis, serializer=JSONSerializer)


def register(redis: Redis, queue: TaskQueue, name: str, state: str) -> None:
    """A worker that has reported itself."""
    worker = Worker([rq_queue(redis, queue)], name=name, connection=redis, serializer=JSONSerializer)
    worker.register_birth()  # type: ignore[no-untyped-call]
    worker.set_state(state)


def contents(redis: Redis, queue: TaskQueue) -> dict[Any, Any]:
    """Every key of that queue, and those of all, with its bytes and whether it lapses.

    Keys that other tests have left may lapse at any moment.
    """
    keys = [key for pattern in (f"*{queue.name}*", "rq:queues", "rq:workers") for key in redis.scan_iter(pattern)]
    return {key: (redis.dump(key), redis.ttl(key) >= 0) for key in keys}


@pytest.fixture(params=["nobody listens", "nobody answers", "the socket is gone"])
def unreachable(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TaskQueue]:
    """A queue whose Redis is out of reach."""
    monkeypatch.setattr("service.queue.ANSWER_SECONDS", 1.5)
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        if request.param == "nobody answers":
            bound.listen()
        gone = request.param == "the socket is gone"
        url = f"unix://{tmp_path / 'gone.sock'}" if gone else f"redis://127.0.0.1:{bound.getsockname()[1]}"
        with connect(url) as client:
            yield TaskQueue(client, "queue")


def test_a_task_waits_under_its_id(queue: TaskQueue) -> None:
    assert queue.enqueue(TASK, "job_1", task_id="job_1-plan")
    assert queue.waiting() == ["job_1-plan"]


def test_a_task_is_queued_by_name_with_its_arguments_as_json_and_no_time_limit(queue: TaskQueue, redis: Redis) -> None:
    queue.enqueue(TASK, "job_1", task_id="id")
    task = rq_queue(redis, queue).fetch_job("id")
    assert task
    assert (task.func_name, task.args, task.timeout) == (TASK, ["job_1"], -1)


def test_an_id_that_waits_is_not_queued_again(queue: TaskQueue) -> None:
    assert [queue.enqueue(TASK, task_id="same") for _ in range(3)] == [True, False, False]
    assert queue.waiting() == ["same"]


def test_an_id_that_waits_keeps_the_arguments_it_has(queue: TaskQueue, redis: Redis) -> None:
    queue.enqueue(TASK, "first", task_id="same")
    queue.enqueue(TASK, "second", task_id="same")
    task = rq_queue(redis, queue).fetch_job("same")
    assert task
    assert task.args == ["first"]


def test_an_id_that_waits_in_another_queue_may_be_queued(queue: TaskQueue, redis: Redis) -> None:
    other = TaskQueue(redis, f"queue-{uuid.uuid4()}")
    other.enqueue(TASK, task_id="same")
    assert queue.enqueue(TASK, task_id="same")


def test_an_id_that_was_taken_up_may_be_queued_again(queue: TaskQueue, redis: Redis) -> None:
    queue.enqueue(TASK, task_id="same")
    redis.lpop(rq_queue(redis, queue).key)
    assert queue.enqueue(TASK, task_id="same")


def test_tasks_wait_in_the_order_in_which_they_came(queue: TaskQueue) -> None:
    for number in range(4):
        queue.enqueue(TASK, task_id=f"task-{number}")
    assert queue.waiting() == [f"task-{number}" for number in range(4)]


def test_depth_counts_what_waits(queue: TaskQueue) -> None:
    for number in range(4):
        queue.enqueue(TASK, task_id=f"task-{number}")
    assert queue.depth() == 4


def test_an_empty_queue_has_no_depth_no_age_and_no_workers(queue: TaskQueue) -> None:
    assert (queue.waiting(), queue.depth(), queue.oldest_age_seconds(), queue.workers()) == ([], 0, 0.0, [])


def test_the_oldest_age_is_that_of_the_next_task(queue: TaskQueue, redis: Redis) -> None:
    queue.enqueue(TASK, task_id=f"{queue.name}-old")
    queue.enqueue(TASK, task_id=f"{queue.name}-new")
    then = datetime.now(UTC) - timedelta(seconds=90)
    redis.hset(f"rq:job:{queue.name}-old", "enqueued_at", then.strftime("%Y-%m-%dT%H:%M:%S.%fZ"))
    assert queue.oldest_age_seconds() == pytest.approx(90, abs=5)


def test_a_task_just_queued_is_hardly_old(queue: TaskQueue) -> None:
    queue.enqueue(TASK, task_id=f"{queue.name}-now")
    assert 0 <= queue.oldest_age_seconds() < 5


def test_a_waiting_id_whose_task_is_gone_has_no_age(queue: TaskQueue, redis: Redis) -> None:
    queue.enqueue(TASK, task_id=f"{queue.name}-gone")
    redis.delete(f"rq:job:{queue.name}-gone")
    assert queue.oldest_age_seconds() == 0


def test_workers_are_listed_with_their_states(queue: TaskQueue, redis: Redis) -> None:
    names = [f"{queue.name}-{state}" for state in ("busy", "idle")]
    for name in names:
        register(redis, queue, name, name.rsplit("-", 1)[-1])
    listed = sorted(queue.workers(), key=lambda worker: worker.name)
    assert listed == [WorkerState(names[0], "busy"), WorkerState(names[1], "idle")]


def test_workers_of_another_queue_are_not_listed(queue: TaskQueue, redis: Redis) -> None:
    register(redis, TaskQueue(redis, f"queue-{uuid.uuid4()}"), f"{queue.name}-other", "idle")
    assert queue.workers() == []


def test_a_worker_that_was_not_heard_of_lately_is_not_listed(queue: TaskQueue, redis: Redis) -> None:
    register(redis, queue, f"{queue.name}-dead", "busy")
    redis.delete(f"rq:worker:{queue.name}-dead")
    assert queue.workers() == []


@pytest.mark.parametrize("read", READS, ids=lambda read: read.__name__)
def test_reading_cleans_nothing_up(queue: TaskQueue, redis: Redis, read: Callable[[TaskQueue], object]) -> None:
    inner = rq_queue(redis, queue)
    for number in range(3):
        queue.enqueue(TASK, task_id=f"{queue.name}-{number}")
    redis.delete(f"rq:job:{queue.name}-0")
    redis.rpush(inner.intermediate_queue_key, f"{queue.name}-orphan")
    redis.set(f"{inner.intermediate_queue_key}:first_seen:{queue.name}-orphan", 1.0)
    for registry in (inner.started_job_registry, inner.finished_job_registry, inner.failed_job_registry):
        redis.zadd(registry.key, {f"{queue.name}-orphan:execution": 1.0})
    register(redis, queue, f"{queue.name}-alive", "busy")
    register(redis, queue, f"{queue.name}-dead", "busy")
    redis.delete(f"rq:worker:{queue.name}-dead")
    before = contents(redis, queue)
    read(queue)
    assert contents(redis, queue) == before


def test_asking_for_an_id_that_waits_cleans_nothing_up(queue: TaskQueue, redis: Redis) -> None:
    queue.enqueue(TASK, task_id=f"{queue.name}-waits")
    redis.zadd(rq_queue(redis, queue).started_job_registry.key, {f"{queue.name}-orphan:execution": 1.0})
    before = contents(redis, queue)
    queue.enqueue(TASK, task_id=f"{queue.name}-waits")
    assert contents(redis, queue) == before


def test_without_redis_a_task_is_refused_within_seconds(unreachable: TaskQueue) -> None:
    began = time.monotonic()
    with pytest.raises(UnavailableError, match="Redis is out of reach; try again shortly") as caught:
        unreachable.enqueue(TASK, task_id="id")
    assert time.monotonic() - began < 5
    assert (caught.value.code, caught.value.status) == ("redis_unavailable", 503)


def test_without_redis_what_waits_is_refused_within_seconds(unreachable: TaskQueue) -> None:
    began = time.monotonic()
    with pytest.raises(UnavailableError):
        unreachable.waiting()
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "read",
    [TaskQueue.depth, TaskQueue.oldest_age_seconds, TaskQueue.workers, TaskQueue.ping],
    ids=lambda read: read.__name__,
)
def test_without_redis_a_look_at_the_queue_fails_within_seconds(
    unreachable: TaskQueue, read: Callable[[TaskQueue], object]
) -> None:
    began = time.monotonic()
    with pytest.raises(RedisError):
        read(unreachable)
    assert time.monotonic() - began < 5
