"""Several streams as one."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Iterable
from typing import TypeVar

T = TypeVar("T")


async def merged(sources: Iterable[AsyncIterable[T]], at_once: int) -> AsyncGenerator[T, None]:
    """What all sources give, as soon as it is there, with `at_once` of them running and the next begun as one ends.

    The first exception of a source ends everything and is raised. When the consumer stops early, so do the sources.
    """
    results: asyncio.Queue[T | _End] = asyncio.Queue()
    waiting = iter(sources)
    runners = [asyncio.create_task(_run(waiting, results)) for _ in range(at_once)]
    running = len(runners)
    try:
        while running:
            result = await results.get()
            if not isinstance(result, _End):
                yield result
            elif result.error:
                raise result.error
            else:
                running -= 1
    finally:
        for runner in runners:
            runner.cancel()
        await asyncio.gather(*runners, return_exceptions=True)


class _End:
    """A runner has nothing more to do, or failed."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error


async def _run(sources: Iterable[AsyncIterable[T]], results: "asyncio.Queue[T | _End]") -> None:
    try:
        for source in sources:
            async for result in source:
                results.put_nowait(result)
    except Exception as error:  # noqa: BLE001 - raised again by the consumer
        results.put_nowait(_End(error))
    else:
        results.put_nowait(_End())
