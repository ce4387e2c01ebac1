"""Rates over several workers: what all send together keeps to the limit, in every window and not only on average."""

import asyncio
import threading
import time
import uuid
from collections.abc import Sequence

from redis.exceptions import ConnectionError as RedisConnectionError

from service.llm.limits import PacedLimiter
from service.llm.pace import Pace
from service.queue import connect

LANES = 4
PER_MINUTE = 600
CALLS = 2
"""That each lane may have under way; those that wait for the pace hold a slot, so few keep the end short."""
SECONDS = 12
WINDOW = 6.0


class Lane(threading.Thread):
    """One worker's limiter in a thread and an event loop of its own; notes when it sent."""

    def __init__(self, redis_url: str, name: str, tokens: tuple[int, int] | None = None) -> None:
        super().__init__()
        self._redis = connect(redis_url)
        self._estimate, self._used = tokens or (0, 0)
        pace = Pace(self._redis, name, PER_MINUTE)
        self._limiter = PacedLimiter(requests=None if tokens else pace, tokens=pace if tokens else None)
        self._limiter.resize(CALLS)
        self.sent: list[float] = []

    def run(self) -> None:
        asyncio.run(self._send_for(time.monotonic() + SECONDS))
        self._redis.close()

    async def _send_for(self, until: float) -> None:
        await asyncio.gather(*(self._send(until) for _ in range(CALLS)))

    async def _send(self, until: float) -> None:
        while time.monotonic() < until:
            async with self._limiter.slot(self._estimate) as permit:
                self.sent.append(time.monotonic())
                permit.tokens = self._used
                await asyncio.sleep(0.02)


def sent_by(lanes: Sequence[Lane]) -> list[float]:
    """When all of them together sent, in order."""
    for lane in lanes:
        lane.start()
    for lane in lanes:
        lane.join()
    return sorted(moment for lane in lanes for moment in lane.sent)


def busiest(moments: Sequence[float], window: float) -> int:
    """The most of them within any window of that length."""
    return max(sum(start <= moment < start + window for moment in moments) for start in moments)


def test_four_workers_together_keep_to_requests_a_minute_in_every_window(valkey_url: str) -> None:
    name = uuid.uuid4().hex
    sent = sent_by([Lane(valkey_url, name) for _ in range(LANES)])
    assert busiest(sent, WINDOW) <= PER_MINUTE * WINDOW / 60
    assert busiest(sent, WINDOW) >= 0.9 * PER_MINUTE * WINDOW / 60


def test_tokens_are_reserved_as_estimated_and_settled_as_used(valkey_url: str) -> None:
    """At 5 tokens used a call, and 10 reserved, twice as many calls pass as the estimates alone would let through."""
    name = uuid.uuid4().hex
    sent = sent_by([Lane(valkey_url, name, tokens=(10, 5)) for _ in range(LANES)])
    later = [moment for moment in sent if moment > sent[0] + SECONDS - WINDOW]
    assert 5 * busiest(sent, WINDOW) <= 1.25 * PER_MINUTE * WINDOW / 60
    assert 5 * len(later) >= 0.7 * PER_MINUTE * WINDOW / 60


class Scripted(Pace):
    """A pace that notes what is reserved, and whose Redis may be away."""

    def __init__(self) -> None:
        self.reserved: list[int] = []
        self.away = 0

    def reserve(self, units: int) -> float:
        if self.away:
            self.away -= 1
            raise RedisConnectionError
        self.reserved.append(units)
        return 0.0


async def call(limiter: PacedLimiter, estimate: int, used: int) -> None:
    limiter.resize(64)
    async with limiter.slot(estimate) as permit:
        permit.tokens = used
    await asyncio.sleep(0.1)


def test_what_an_estimate_was_off_by_is_given_back_or_taken() -> None:
    pace = Scripted()
    limiter = PacedLimiter(requests=None, tokens=pace)
    asyncio.run(call(limiter, 300, 120))
    asyncio.run(call(limiter, 300, 350))
    assert pace.reserved == [300, -180, 300, 50]


def test_nothing_is_sent_before_the_rate_is_known() -> None:
    pace = Scripted()
    pace.away = 2
    started = time.monotonic()
    asyncio.run(call(PacedLimiter(requests=pace, tokens=None), 0, 0))
    assert pace.reserved == [1]
    assert time.monotonic() - started >= 2


def test_an_answer_does_not_wait_for_redis() -> None:
    pace = Scripted()

    async def answered_while_redis_is_away() -> float:
        limiter = PacedLimiter(requests=None, tokens=pace)
        limiter.resize(1)
        async with limiter.slot(10) as permit:
            pace.away, permit.tokens = 1000, 5
            answered = time.monotonic()
        return time.monotonic() - answered

    assert asyncio.run(answered_while_redis_is_away()) < 0.5


def test_calls_that_wait_for_a_hanging_redis_leave_the_threads_that_renew_leases_alone() -> None:
    released = threading.Event()

    class Hanging(Scripted):
        def reserve(self, units: int) -> float:
            released.wait(30)
            return super().reserve(units)

    async def renewal_beside_many_waiting_calls() -> float:
        limiter = PacedLimiter(requests=Hanging(), tokens=None)
        calls = [asyncio.create_task(call(limiter, 0, 0)) for _ in range(64)]
        await asyncio.sleep(0.1)
        started = time.monotonic()
        await asyncio.to_thread(lambda: None)
        waited = time.monotonic() - started
        released.set()
        await asyncio.gather(*calls)
        return waited

    assert asyncio.run(renewal_beside_many_waiting_calls()) < 1
