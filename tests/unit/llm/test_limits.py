"""Slots of a limiter: who gets them, and that none is lost. How it adapts to 429s: test_adaptive.py."""

import asyncio
import random
import time
from collections.abc import Coroutine
from contextlib import suppress
from itertools import pairwise
from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from service.llm.errors import PROBLEMS
from service.llm.failures import CallFailedError
from service.llm.limits import LocalLimiter, PacedLimiter


class Calls:
    """Calls through a limiter, each held until it is told to end."""

    def __init__(self, limiter: LocalLimiter) -> None:
        self.limiter = limiter
        self.admitted: list[int] = []
        self.tasks: dict[int, asyncio.Task[None]] = {}
        self._ends: dict[int, asyncio.Event] = {}

    async def start(self, *numbers: int) -> None:
        for number in numbers:
            self._ends[number] = asyncio.Event()
            self.tasks[number] = asyncio.create_task(self._call(number))
        await settle()

    async def end(self, *numbers: int) -> None:
        for number in numbers:
            self._ends[number].set()
        await settle()

    async def cancel(self, *numbers: int) -> None:
        for number in numbers:
            self.tasks[number].cancel()
        await settle()

    async def end_all(self) -> None:
        for end in self._ends.values():
            end.set()
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)

    async def _call(self, number: int) -> None:
        async with self.limiter.slot():
            self.admitted.append(number)
            await self._ends[number].wait()


async def settle() -> None:
    """Let everything happen that can happen."""
    for _ in range(10):
        await asyncio.sleep(0)


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(test, 20))


def test_no_more_calls_are_admitted_than_the_capacity() -> None:
    async def test() -> None:
        calls = Calls(LocalLimiter(3))
        await calls.start(*range(5))
        assert calls.admitted == [0, 1, 2]
        await calls.end_all()

    run(test())


def test_who_came_first_is_admitted_first() -> None:
    async def test() -> None:
        calls = Calls(LocalLimiter(1))
        await calls.start(*range(5))
        for number in range(5):
            await calls.end(number)
        assert calls.admitted == [0, 1, 2, 3, 4]

    run(test())


def test_nobody_overtakes_who_waits() -> None:
    async def test() -> None:
        calls = Calls(LocalLimiter(1))
        await calls.start(0, 1)
        calls._ends[0].set()
        await calls.start(2)
        assert calls.admitted == [0, 1]
        await calls.end_all()

    run(test())


def test_a_higher_capacity_admits_at_once_as_many_as_it_allows() -> None:
    async def test() -> None:
        calls = Calls(LocalLimiter(1))
        await calls.start(*range(5))
        calls.limiter.resize(4)
        await settle()
        assert calls.admitted == [0, 1, 2, 3]
        await calls.end_all()

    run(test())


def test_a_lower_capacity_takes_effect_as_calls_end() -> None:
    async def test() -> None:
        calls = Calls(LocalLimiter(3))
        await calls.start(*range(6))
        calls.limiter.resize(1)
        await calls.end(0, 1)
        assert (calls.limiter.in_use, calls.admitted) == (1, [0, 1, 2])
        await calls.end(2)
        assert calls.admitted == [0, 1, 2, 3]
        await calls.end_all()

    run(test())


def test_a_capacity_of_zero_admits_nobody_until_it_is_raised() -> None:
    async def test() -> None:
        calls = Calls(LocalLimiter(0))
        await calls.start(0)
        assert calls.admitted == []
        calls.limiter.resize(1)
        await settle()
        assert calls.admitted == [0]
        await calls.end_all()

    run(test())


def test_a_call_that_fails_gives_its_slot_back() -> None:
    async def test() -> None:
        limiter = LocalLimiter(1)
        for _ in range(3):
            with suppress(ZeroDivisionError):
                async with limiter.slot():
                    raise ZeroDivisionError
        assert limiter.in_use == 0

    run(test())


def test_a_call_cancelled_while_under_way_gives_its_slot_to_the_next() -> None:
    async def test() -> None:
        calls = Calls(LocalLimiter(1))
        await calls.start(0, 1)
        await calls.cancel(0)
        assert calls.admitted == [0, 1]
        await calls.end_all()

    run(test())


def test_a_call_cancelled_while_waiting_is_passed_over() -> None:
    async def test() -> None:
        calls = Calls(LocalLimiter(1))
        await calls.start(0, 1, 2)
        await calls.cancel(1)
        await calls.end(0)
        assert calls.admitted == [0, 2]
        await calls.end_all()

    run(test())


def test_a_call_cancelled_in_the_moment_it_is_admitted_passes_its_slot_on() -> None:
    async def test() -> None:
        calls = Calls(LocalLimiter(0))
        await calls.start(0, 1)
        calls.limiter.resize(1)  # admits 0, which has not run since
        await calls.cancel(0)
        assert calls.admitted == [1]
        await calls.end_all()
        assert calls.limiter.in_use == 0

    run(test())


def test_when_all_who_waited_are_cancelled_a_newcomer_is_admitted() -> None:
    async def test() -> None:
        calls = Calls(LocalLimiter(0))
        await calls.start(0, 1)
        await calls.cancel(0, 1)
        calls.limiter.resize(1)
        await calls.start(2)
        assert calls.admitted == [2]
        await calls.end_all()

    run(test())


@pytest.mark.parametrize("seed", range(20))
def test_no_slot_leaks_whatever_is_cancelled_resized_and_ended(seed: int) -> None:
    async def test() -> None:
        choose, calls = random.Random(seed), Calls(LocalLimiter(3))
        for number in range(60):
            await calls.start(number)
            match choose.choice(["end", "cancel", "cancel now", "resize", "nothing"]):
                case "end":
                    await calls.end(choose.randint(0, number))
                case "cancel":
                    await calls.cancel(choose.randint(0, number))
                case "cancel now":  # together with an end, so that admission and cancellation meet
                    calls._ends[choose.randint(0, number)].set()
                    await asyncio.sleep(0)
                    await calls.cancel(choose.randint(0, number), choose.randint(0, number))
                case "resize":
                    calls.limiter.resize(choose.randint(0, 5))
        calls.limiter.resize(3)
        await calls.end_all()
        assert calls.limiter.in_use == 0
        after = Calls(calls.limiter)
        await after.start(0, 1, 2, 3)
        assert after.admitted == [0, 1, 2]
        await after.end_all()

    run(test())


class Recorder:
    """In place of a pace: notes what is reserved; the first calls find Redis away."""

    def __init__(self, away: int = 0) -> None:
        self.reserved: list[int] = []
        self.away = away

    def reserve(self, units: int) -> float:
        if self.away:
            self.away -= 1
            raise RedisConnectionError
        self.reserved.append(units)
        return 0.0


def paced(requests: Any = None, tokens: Any = None) -> PacedLimiter:
    limiter = PacedLimiter(requests=requests, tokens=tokens)
    limiter.resize(1)
    return limiter


def test_a_paced_call_reserves_one_request_and_its_tokens_and_settles_what_it_used() -> None:
    requests, tokens = Recorder(), Recorder()

    async def test() -> None:
        limiter = paced(requests, tokens)
        async with limiter.slot(100) as permit:
            permit.tokens = 40
        limiter._thread.shutdown()

    run(test())
    assert (requests.reserved, tokens.reserved) == ([1], [100, -60])


def test_a_paced_call_that_does_not_learn_its_tokens_lets_the_estimate_stand() -> None:
    tokens = Recorder()

    async def test() -> None:
        limiter = paced(tokens=tokens)
        async with limiter.slot(100):
            pass
        limiter._thread.shutdown()

    run(test())
    assert tokens.reserved == [100]


def test_a_paced_call_waits_for_redis_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    requests, sleep = Recorder(away=2), asyncio.sleep
    monkeypatch.setattr("service.llm.limits.asyncio.sleep", lambda _seconds: sleep(0))

    async def test() -> None:
        limiter = paced(requests)
        async with limiter.slot():
            assert requests.reserved == [1]
        limiter._thread.shutdown()

    run(test())


def test_a_call_cancelled_while_it_keeps_to_the_pace_gives_its_slot_back() -> None:
    class Slow(Recorder):
        def reserve(self, units: int) -> float:
            super().reserve(units)
            return 60.0

    async def test() -> None:
        calls = Calls(paced(Slow()))
        await calls.start(0)
        await asyncio.sleep(0.05)
        await calls.cancel(0)
        assert (calls.limiter.in_use, calls.admitted) == (0, [])

    run(test())


def test_calls_that_wait_for_the_pace_reserve_one_by_one_and_so_lose_little_when_they_are_cut_off() -> None:
    class Slow(Recorder):
        def reserve(self, units: int) -> float:
            super().reserve(units)
            return 60.0

    requests, tokens = Slow(), Slow()

    async def test() -> None:
        limiter = paced(requests, tokens)
        limiter.resize(3)
        calls = Calls(limiter)
        await calls.start(0, 1, 2, 3)
        await asyncio.sleep(0.05)
        assert limiter.waiting == 4
        await calls.cancel(0, 1, 2, 3)
        assert limiter.waiting == 0

    run(test())
    assert requests.reserved + tokens.reserved == [1]


def test_calls_that_wait_for_the_pace_keep_to_a_retry_after_that_comes_meanwhile() -> None:
    class Even(Recorder):
        def reserve(self, units: int) -> float:
            super().reserve(units)
            return 0.05

    async def test() -> None:
        limiter, sent = paced(Even()), list[float]()
        limiter.resize(8)

        async def call() -> None:
            async with limiter.slot():
                sent.append(time.monotonic())
                if len(sent) == 1:
                    raise CallFailedError(PROBLEMS["rate_limited"], retry_after=0.5)

        await asyncio.gather(*(call() for _ in range(4)), return_exceptions=True)
        limiter._thread.shutdown()
        assert len(sent) == 4
        assert sent[1] - sent[0] > 0.45
        assert min(later - earlier for earlier, later in pairwise(sent)) > 0.03, "and to the pace after it"

    run(test())
