"""Lanes that share a model's slots, each following the protocol that workers follow (Throttle.renew)."""

import random
import time
import uuid
from collections.abc import Iterator

import pytest
from redis import Redis

from service.llm import slots
from service.llm.slots import SharedSlots

FEW = 4
"""Renewals of everybody after which a new want must have been met: one to tell, one to make room, one to take it."""


class Lane:
    """A worker's calls to the model: how many are under way, how many may be, how many it could make use of."""

    def __init__(self, pool: "Pool", wanted: int) -> None:
        self.wanted = wanted
        self.in_use = 0
        self.allowed = 0
        self._shared = SharedSlots(pool.redis, pool.model, f"lane-{uuid.uuid4()}", pool.maximum)

    @property
    def held(self) -> int:
        return max(self.in_use, self.allowed)

    def renew(self) -> None:
        self.allowed = self._shared.renew(held=self.held, wanted=self.wanted)

    def call(self, calls: int) -> None:
        """Start calls, as many as may be."""
        self.in_use = max(self.in_use, min(self.allowed, self.in_use + calls))

    def leave(self) -> None:
        self.in_use = self.allowed = 0
        self._shared.release()


class Pool:
    """A model and the lanes that call it."""

    def __init__(self, redis: Redis, maximum: int) -> None:
        self.redis = redis
        self.maximum = maximum
        self.model = f"model-{uuid.uuid4()}"
        self.lanes: list[Lane] = []

    def join(self, wanted: int) -> Lane:
        lane = Lane(self, wanted)
        self.lanes.append(lane)
        return lane

    def settle(self) -> list[int]:
        """A few rounds in which calls beyond the allowance end; gives what each may use then."""
        for _ in range(FEW):
            for lane in self.lanes:
                lane.renew()
                lane.in_use = min(lane.in_use, lane.allowed)
        return [lane.allowed for lane in self.lanes]

    @property
    def held(self) -> int:
        return sum(lane.held for lane in self.lanes)


@pytest.fixture
def redis(valkey_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Redis]:
    """Claims live long, so that a slow machine does not lose any; those of lanes that die are made short."""
    monkeypatch.setattr(slots, "TTL_SECONDS", 60)
    with Redis.from_url(valkey_url) as client:
        yield client


def die(pool: Pool, lane: Lane, monkeypatch: pytest.MonkeyPatch) -> None:
    """Renew a last time and be heard of no more; the claim lapses."""
    with monkeypatch.context() as patch:
        patch.setattr(slots, "TTL_SECONDS", 0.01)
        lane.renew()
    pool.lanes.remove(lane)
    time.sleep(0.02)


def live(pool: Pool, choose: random.Random, monkeypatch: pytest.MonkeyPatch) -> None:
    """One thing that happens to one lane."""
    if not pool.lanes or (len(pool.lanes) < 7 and choose.random() < 0.06):
        pool.join(choose.randint(0, pool.maximum))
    lane = choose.choice(pool.lanes)
    match choose.choices(["renew", "call", "end", "want", "leave", "die"], [40, 25, 25, 10, 2, 2])[0]:
        case "renew":
            lane.renew()
        case "call":
            lane.call(choose.randint(1, pool.maximum))
        case "end":
            lane.in_use -= choose.randint(0, lane.in_use)
        case "want":
            lane.wanted = choose.choice([0, choose.randint(0, pool.maximum), pool.maximum])
        case "leave":
            lane.leave()
            pool.lanes.remove(lane)
        case "die":
            die(pool, lane, monkeypatch)


@pytest.mark.parametrize("seed", range(12))
def test_what_all_hold_together_never_exceeds_the_maximum(
    redis: Redis, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose = random.Random(seed)
    pool = Pool(redis, choose.choice([1, 2, 3, 5, 10, 32, 100]))
    for _ in range(500):
        live(pool, choose, monkeypatch)
        assert pool.held <= pool.maximum


@pytest.mark.parametrize("seed", range(12))
def test_after_any_history_every_lane_that_wants_gets_its_share_within_a_few_renewals(
    redis: Redis, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose = random.Random(seed)
    pool = Pool(redis, choose.randint(8, 40))
    for _ in range(200):
        live(pool, choose, monkeypatch)
    share = pool.maximum // max(1, len(pool.lanes))
    missing = [min(lane.wanted, share) - allowed for lane, allowed in zip(pool.lanes, pool.settle(), strict=True)]
    assert max(missing, default=0) <= 0


@pytest.mark.parametrize("seed", range(12))
def test_after_any_history_no_slot_that_somebody_wants_stays_unused(
    redis: Redis, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose = random.Random(seed)
    pool = Pool(redis, choose.randint(8, 40))
    for _ in range(200):
        live(pool, choose, monkeypatch)
    wanted = sum(lane.wanted for lane in pool.lanes)
    assert sum(pool.settle()) == min(pool.maximum, wanted)


def test_a_lane_alone_gets_all_it_wants_at_once(redis: Redis) -> None:
    lane = Pool(redis, 10).join(10)
    lane.renew()
    assert lane.allowed == 10


def test_a_lane_gets_no_more_than_it_wants(redis: Redis) -> None:
    lane = Pool(redis, 10).join(3)
    lane.renew()
    assert lane.allowed == 3


def test_a_newcomer_gets_its_share_from_one_that_had_everything(redis: Redis) -> None:
    pool = Pool(redis, 10)
    first = pool.join(10)
    first.renew()
    first.call(10)
    pool.join(10)
    assert pool.settle() == [5, 5]


def test_a_newcomer_gets_nothing_while_the_calls_of_another_are_still_under_way(redis: Redis) -> None:
    pool = Pool(redis, 10)
    first = pool.join(10)
    first.renew()
    first.call(10)
    newcomer = pool.join(10)
    for _ in range(FEW):
        newcomer.renew()
        first.renew()
    assert newcomer.allowed == 0
    assert first.allowed == 5


@pytest.mark.parametrize("lanes", [2, 3, 7, 10])
def test_lanes_that_all_want_everything_part_it_evenly_and_use_it_all(redis: Redis, lanes: int) -> None:
    pool = Pool(redis, 10)
    for _ in range(lanes):
        pool.join(10)
    allowed = pool.settle()
    assert sum(allowed) == 10
    assert min(allowed) >= 10 // lanes


def test_a_lane_that_wants_nothing_leaves_all_to_the_others(redis: Redis) -> None:
    pool = Pool(redis, 10)
    pool.join(10)
    pool.join(10)
    pool.settle()
    pool.lanes[0].wanted = 0
    assert pool.settle() == [0, 10]


def test_a_lane_that_wants_little_leaves_the_rest_to_the_others(redis: Redis) -> None:
    pool = Pool(redis, 12)
    for wanted in (2, 12, 12):
        pool.join(wanted)
    first, *others = pool.settle()
    assert (first, sum(others)) == (2, 10)


def test_more_lanes_than_slots_still_use_every_slot(redis: Redis) -> None:
    pool = Pool(redis, 3)
    for _ in range(5):
        pool.join(3)
    assert sum(pool.settle()) == 3


def test_what_a_lane_gives_up_is_to_be_had_at_once(redis: Redis) -> None:
    pool = Pool(redis, 10)
    first, second = pool.join(10), pool.join(10)
    first.renew()
    first.leave()
    second.renew()
    assert second.allowed == 10


def test_what_a_dead_lane_held_lapses(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    pool = Pool(redis, 10)
    dead, heir = pool.join(10), pool.join(10)
    dead.renew()
    dead.call(10)
    die(pool, dead, monkeypatch)
    heir.renew()
    assert heir.allowed == 10


def test_another_model_has_slots_of_its_own(redis: Redis) -> None:
    first, second = Pool(redis, 10).join(10), Pool(redis, 10).join(10)
    first.renew()
    second.renew()
    assert (first.allowed, second.allowed) == (10, 10)


def test_the_keys_of_a_model_that_nobody_calls_go_away(redis: Redis) -> None:
    known = set(redis.scan_iter("proofhouse:slots:*"))
    Pool(redis, 10).join(10).renew()
    left = [redis.ttl(key) for key in set(redis.scan_iter("proofhouse:slots:*")) - known]
    assert len(left) == 3
    assert all(0 < seconds <= 60 for seconds in left)
