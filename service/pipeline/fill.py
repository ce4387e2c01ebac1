"""Filling a suite: the generator's cases are stored as they come, so that none is asked for twice."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from service.domain.cases import Case
from service.domain.catalog import CATEGORIES
from service.domain.examples import MOST_OF_A_CATEGORY
from service.domain.jobs import Suite
from service.domain.specs import PluginSpec
from service.failpoints import failpoint
from service.generators.base import Generator, Tools, generators
from service.pipeline.equipment import Throttle
from service.pipeline.pulse import GRACE_SECONDS
from service.pipeline.services import Services
from service.registry import join_secrets
from service.store import cases, examples, making, suites
from service.store.patience import patient

TICK_SECONDS = 0.25


class ShuttingDownError(Exception):
    """The worker is shutting down; another goes on with what has been stored."""


async def fill(services: Services, suite: Suite, spec: PluginSpec, token: str, stopping: Callable[[], bool]) -> None:
    """Have the generator make the cases that are not stored yet. Its caller keeps the claim meanwhile.

    Raises, alone or in a group:
        GenerationError: no call to the generator's model can succeed until somebody mends something.
        StaleClaimError: the suite has passed to another worker, or nobody wants it now.
        ShuttingDownError: `stopping` says that this worker must end. Calls under way had a while to do so first.
        VaultError: the secrets were sealed with a key that this worker does not have.
    """
    throttle = Throttle(services, suite.tenant, spec, token)
    secrets, own = await asyncio.to_thread(_stored_for, services, suite, spec)
    options = join_secrets(generators.schema(spec.name), spec.options, secrets.get("generator", {}))
    generator = generators.get(spec.name)(options, Tools(throttle.limiter, services.search_url, own))
    generator.effort = suite.effort
    held = await asyncio.to_thread(_held, services, suite)
    try:
        await Filling(services, suite, token, generator, throttle, stopping).run(held)
    finally:
        await generator.close()
        await asyncio.to_thread(throttle.release)


@dataclass(slots=True)
class Filling:
    """One worker's attempt at filling a suite."""

    services: Services
    suite: Suite
    token: str
    generator: Generator
    throttle: Throttle
    stopping: Callable[[], bool]
    _made: asyncio.Queue[Case | None] = field(default_factory=lambda: asyncio.Queue(cases.CHUNK), init=False)

    async def run(self, held: list[Case]) -> None:
        """Make, store and look around, side by side."""
        async with asyncio.TaskGroup() as group:
            looking = group.create_task(self._look_around())
            storing = group.create_task(self._store_all())
            async for case in self.generator.cases(held):
                await self._made.put(case)
            await self._made.put(None)
            await storing
            looking.cancel()

    async def _store_all(self) -> None:
        """Store what is there, again and again, until the generator has ended."""
        last: Case | bool | None = True
        while last is not None:
            last = await self._made.get()
            chunk = [last] if last else []
            while last is not None and len(chunk) < cases.CHUNK and not self._made.empty():
                last = self._made.get_nowait()
                chunk += [last] if last else []
            # Read here and not in the thread that stores it: the generator goes on counting meanwhile.
            await asyncio.to_thread(self._store, chunk, self.generator.effort.to_json())
            for _ in chunk:
                self._made.task_done()

    @patient
    def _store(self, chunk: list[Case], effort: dict[str, Any]) -> None:
        with self.services.store.write() as session:
            making.renew(session, self.suite.id, self.token)
            making.note_effort(session, self.suite.id, effort)
            if chunk:
                making.note_progress(session, self.suite.id)
                cases.add(session, self.suite.id, chunk)
        failpoint("filled")

    async def _look_around(self) -> None:
        while not self.stopping():
            await self._share(self.throttle.maximum)
        with suppress(TimeoutError):
            async with asyncio.timeout(GRACE_SECONDS):
                await self._wind_up()
        # What was turned away since the last case that was stored has cost something too.
        await asyncio.to_thread(self._store, [], self.generator.effort.to_json())
        raise ShuttingDownError("the worker is shutting down")

    async def _wind_up(self) -> None:
        """Let no further call begin; return when those under way have ended and what they brought is stored."""
        self.throttle.limiter.resize(0)
        while self.throttle.limiter.in_use:
            await self._share(0)
        await self._share(0)  # once more: what came last is still on its way through the generator
        await self._made.join()

    async def _share(self, wanted: int) -> None:
        if self.throttle.maximum:
            self.throttle.limiter.resize(await asyncio.to_thread(self.throttle.renew, wanted))
        await asyncio.sleep(TICK_SECONDS)


@patient
def _stored_for(
    services: Services, suite: Suite, spec: PluginSpec
) -> tuple[dict[str, dict[str, str]], Mapping[str, Sequence[str]]]:
    """The suite's secrets, and the tenant's own examples for it."""
    categories = spec.options.get("categories") or CATEGORIES
    with services.store.read() as session:
        sealed = suites.sealed_secrets(session, suite.id)
        own = examples.newest(session, suite.tenant, categories, MOST_OF_A_CATEGORY)
    return services.vault.open(sealed), own


@patient
def _held(services: Services, suite: Suite) -> list[Case]:
    return [case for chunk in cases.stream(services.store, suite.id) for case in chunk]
