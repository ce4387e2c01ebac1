"""Several streams as one: in the order in which things come, ended by the first error, stopped with the consumer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from service.generators.writing.streams import merged

ended: list[str] = []


async def gathered(results: AsyncIterator[str], into: list[str]) -> None:
    async for result in results:
        into.append(result)  # noqa: PERF401 - kept when an error comes


async def stream(name: str, count: int, *, fails: bool = False, waits: bool = False) -> AsyncIterator[str]:
    try:
        for number in range(count):
            await asyncio.sleep(0)
            yield f"{name}{number}"
        if waits:
            await asyncio.Event().wait()
        if fails:
            raise LookupError(name)
    finally:
        ended.append(name)


def test_everything_comes_once() -> None:
    async def run() -> list[str]:
        return [result async for result in merged((stream(name, 3) for name in "abcd"), 2)]

    assert sorted(asyncio.run(run())) == [f"{name}{number}" for name in "abcd" for number in range(3)]


def test_no_source_is_no_result() -> None:
    async def run() -> list[str]:
        return [result async for result in merged(iter(list[AsyncIterator[str]]()), 0)]

    assert asyncio.run(run()) == []


def test_an_error_ends_all_after_what_came_before_it() -> None:
    ended.clear()

    async def run() -> list[str]:
        results: list[str] = []
        with pytest.raises(LookupError):
            await gathered(merged([stream("a", 1, waits=True), stream("b", 1, fails=True)], 2), results)
        return results

    assert sorted(asyncio.run(run())) == ["a0", "b0"]
    assert sorted(ended) == ["a", "b"]


def test_a_consumer_that_leaves_stops_the_sources() -> None:
    ended.clear()

    async def run() -> None:
        async with aclosing(merged([stream("a", 1, waits=True), stream("b", 1, waits=True)], 2)) as results:
            async for _ in results:
                break

    asyncio.run(run())
    assert sorted(ended) == ["a", "b"]
