"""How a limiter adapts to a server that answers 429, with a clock that moves only when told to."""

import asyncio

import pytest

from service.llm.errors import PROBLEMS
from service.llm.failures import CallFailedError
from service.llm.limits import EPISODE_SECONDS, LocalLimiter


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def limiter(clock: Clock) -> LocalLimiter:
    return LocalLimiter(32, clock=clock)


async def at_once(limiter: LocalLimiter, calls: int, refused: int = 0, retry_after: float | None = None) -> None:
    """So many calls at the same time, of which some are refused with 429."""
    everybody_in = asyncio.Barrier(calls)

    async def call(number: int) -> None:
        async with limiter.slot():
            await everybody_in.wait()
            if number < refused:
                raise CallFailedError(PROBLEMS["rate_limited"], retry_after=retry_after)
            await asyncio.sleep(0.01)  # the refusals come first

    async with asyncio.timeout(5):
        outcomes = await asyncio.gather(*(call(number) for number in range(calls)), return_exceptions=True)
    assert sum(isinstance(outcome, CallFailedError) for outcome in outcomes) == refused


def test_many_refusals_at_once_are_one_episode_and_cut_the_concurrency_once(limiter: LocalLimiter) -> None:
    asyncio.run(at_once(limiter, 32, refused=24))
    assert limiter.allowed == 22


def test_the_cut_starts_from_what_was_under_way_and_not_from_the_capacity(limiter: LocalLimiter) -> None:
    asyncio.run(at_once(limiter, 10, refused=1))
    assert limiter.allowed == 7


def test_a_refusal_after_the_episode_cuts_again(limiter: LocalLimiter, clock: Clock) -> None:
    asyncio.run(at_once(limiter, 32, refused=1))
    clock.now += EPISODE_SECONDS
    asyncio.run(at_once(limiter, 22, refused=1))
    assert limiter.allowed == 15


def test_it_never_falls_below_one(limiter: LocalLimiter, clock: Clock) -> None:
    for _ in range(30):
        asyncio.run(at_once(limiter, 1, refused=1))
        clock.now += EPISODE_SECONDS
    assert limiter.allowed == 1


def test_within_the_episode_answers_do_not_raise_it_again(limiter: LocalLimiter) -> None:
    asyncio.run(at_once(limiter, 32, refused=1))
    for _ in range(10):
        asyncio.run(at_once(limiter, 22))
    assert limiter.allowed == 22


def test_after_the_episode_each_full_round_of_answers_raises_it_by_one(limiter: LocalLimiter, clock: Clock) -> None:
    asyncio.run(at_once(limiter, 10, refused=1))
    clock.now += EPISODE_SECONDS
    for expected in (7, 8, 9):
        assert limiter.allowed == expected
        asyncio.run(at_once(limiter, expected))
        asyncio.run(at_once(limiter, 1))


def test_it_never_rises_above_the_capacity(limiter: LocalLimiter, clock: Clock) -> None:
    asyncio.run(at_once(limiter, 4, refused=1))
    clock.now += EPISODE_SECONDS
    limiter.resize(3)
    for _ in range(20):
        asyncio.run(at_once(limiter, 2))
    assert limiter.allowed == 3


def test_retry_after_closes_it_for_that_long(limiter: LocalLimiter, clock: Clock) -> None:
    async def refuse_then_wait() -> None:
        await at_once(limiter, 4, refused=1, retry_after=7)
        assert limiter.allowed == 0
        clock.now += 6.9
        assert limiter.allowed == 0
        clock.now += 0.2
        assert limiter.allowed == 2

    asyncio.run(refuse_then_wait())
