"""How much of response bodies is held while they are read."""

import asyncio
from collections.abc import AsyncIterator

import httpx2
import pytest

from service.llm.failures import OversizedError
from service.llm.transport import LARGE_BODIES, MAX_BODY, SMALL_BODY, _BoundedStream

CHUNK = 2**14


class Endless:
    """A body without end, which hangs after some bytes if that is given; `sent` counts those taken from it."""

    def __init__(self, hangs_at: int = 2**60) -> None:
        self.sent = 0
        self._hangs_at = hangs_at

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            if self.sent >= self._hangs_at:
                await asyncio.Event().wait()
            self.sent += CHUNK
            yield b"x" * CHUNK
            await asyncio.sleep(0)

    async def aclose(self) -> None: ...


def response(body: Endless, turns: asyncio.Semaphore) -> httpx2.Response:
    return httpx2.Response(200, stream=_BoundedStream(body, turns))


async def settled() -> None:
    """Let every other task come to where it waits."""
    for _ in range(MAX_BODY // CHUNK * 4):
        await asyncio.sleep(0)


def test_a_process_holds_no_more_than_256_mib_of_bodies_for_a_thousand_calls() -> None:
    assert 1024 * (SMALL_BODY + CHUNK) + LARGE_BODIES * MAX_BODY <= 256 * 2**20


def test_a_large_body_waits_for_its_turn() -> None:
    async def scenario() -> None:
        turns, body = asyncio.Semaphore(0), Endless()
        reading = asyncio.create_task(response(body, turns).aread())
        await settled()
        assert body.sent == SMALL_BODY + CHUNK
        turns.release()
        with pytest.raises(OversizedError):
            await reading
        assert body.sent == MAX_BODY + CHUNK

    asyncio.run(scenario())


@pytest.mark.parametrize("body", [Endless(), Endless(hangs_at=2 * SMALL_BODY)], ids=["too_large", "given_up"])
def test_however_reading_ends_its_turn_is_given_back(body: Endless) -> None:
    async def scenario() -> None:
        turns = asyncio.Semaphore(1)
        reading = asyncio.create_task(response(body, turns).aread())
        await settled()
        assert body.sent > SMALL_BODY
        reading.cancel()
        await asyncio.wait([reading])
        assert not turns.locked()

    asyncio.run(scenario())


def test_whoever_gives_up_waiting_takes_no_turn() -> None:
    async def scenario() -> None:
        turns = asyncio.Semaphore(0)
        reading = asyncio.create_task(response(Endless(), turns).aread())
        await settled()
        reading.cancel()
        await asyncio.wait([reading])
        turns.release()
        assert not turns.locked()

    asyncio.run(scenario())
