import itertools
import random
import time
import uuid
from collections.abc import Callable, Iterator

import pytest
from redis import Redis

from service.llm.pace import MINUTE, Pace

SLACK = 1.0
"""Seconds that this machine may lose between a call and its answer."""


@pytest.fixture
def redis(valkey_url: str) -> Iterator[Redis]:
    with Redis.from_url(valkey_url) as client:
        yield client


@pytest.fixture
def pace(redis: Redis) -> Callable[[int], Pace]:
    """Paces of one model that nobody else calls."""
    name = str(uuid.uuid4())
    return lambda per_minute: Pace(redis, name, per_minute)


def moment(pace: Pace, units: int = 1) -> float:
    """When a request reserved now may be sent."""
    return time.time() + pace.reserve(units)


def most_in_a_minute(sent: list[float], units: list[int] | None = None) -> int:
    """The most units sent within any 60 seconds."""
    units = units or [1] * len(sent)
    return max(sum(count for at, count in zip(sent, units, strict=True) if start <= at < start + 60) for start in sent)


def test_the_first_request_is_sent_at_once(pace: Callable[[int], Pace]) -> None:
    assert pace(60).reserve(1) == 0


@pytest.mark.parametrize("per_minute", [1, 7, 60, 500])
def test_no_minute_holds_more_requests_than_the_limit(pace: Callable[[int], Pace], per_minute: int) -> None:
    shared = pace(per_minute)
    assert most_in_a_minute([moment(shared) for _ in range(3 * per_minute)]) <= per_minute


def test_no_minute_holds_more_than_the_limit_when_the_network_delays_requests_by_up_to_a_second(
    pace: Callable[[int], Pace],
) -> None:
    shared, choose = pace(100), random.Random(0)
    assert most_in_a_minute([moment(shared) + choose.random() for _ in range(300)]) <= 100


def test_no_minute_holds_more_than_the_limit_when_workers_take_turns(pace: Callable[[int], Pace]) -> None:
    workers, choose = [pace(50) for _ in range(4)], random.Random(0)
    assert most_in_a_minute([moment(choose.choice(workers)) for _ in range(150)]) <= 50


@pytest.mark.parametrize("seed", range(5))
def test_no_minute_holds_more_tokens_than_the_limit_and_one_request(pace: Callable[[int], Pace], seed: int) -> None:
    shared, choose = pace(10_000), random.Random(seed)
    units = [choose.randint(1, 900) for _ in range(100)]
    assert most_in_a_minute([moment(shared, count) for count in units], units) <= 10_000 + max(units)


def test_requests_are_spread_evenly(pace: Callable[[int], Pace]) -> None:
    shared = pace(60)
    sent = [moment(shared) for _ in range(20)]
    assert [later - earlier for earlier, later in itertools.pairwise(sent)] == pytest.approx(
        [MINUTE / 60] * 19, abs=SLACK
    )


def test_n_requests_wait_for_those_before_them(pace: Callable[[int], Pace]) -> None:
    shared, began = pace(10), time.time()
    waits = [shared.reserve(1) for _ in range(5)]
    assert waits[-1] == pytest.approx(4 * MINUTE / 10 - (time.time() - began), abs=SLACK)


def test_tokens_given_back_are_to_be_had_again(pace: Callable[[int], Pace]) -> None:
    shared = pace(6000)
    shared.reserve(3000)
    shared.reserve(-2000)
    assert shared.reserve(1) == pytest.approx(MINUTE / 6, abs=SLACK)


def test_tokens_beyond_the_estimate_delay_the_next(pace: Callable[[int], Pace]) -> None:
    shared = pace(6000)
    shared.reserve(1000)
    shared.reserve(2000)
    assert shared.reserve(1) == pytest.approx(MINUTE / 2, abs=SLACK)


def test_giving_back_saves_nothing_up_for_later(pace: Callable[[int], Pace]) -> None:
    shared = pace(60)
    for _ in range(5):
        shared.reserve(-100)
    assert most_in_a_minute([moment(shared) for _ in range(180)]) <= 60


def test_idle_time_saves_nothing_up_for_later(pace: Callable[[int], Pace]) -> None:
    shared = pace(6000)
    shared.reserve(1)
    time.sleep(0.1)
    assert most_in_a_minute([moment(shared, 1000) for _ in range(20)], [1000] * 20) <= 6000


def test_another_name_has_a_pace_of_its_own(redis: Redis) -> None:
    Pace(redis, str(uuid.uuid4()), 1).reserve(1)
    assert Pace(redis, str(uuid.uuid4()), 1).reserve(1) == 0


def test_what_is_reserved_is_not_forgotten_before_its_time(redis: Redis) -> None:
    known = set(redis.scan_iter("proofhouse:pace:*"))
    Pace(redis, str(uuid.uuid4()), 1).reserve(30)
    (key,) = set(redis.scan_iter("proofhouse:pace:*")) - known
    assert redis.ttl(key) >= 30 * MINUTE
