import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from service.domain.cases import Case
from service.domain.completions import Completion, Usage
from service.pipeline.services import Services
from service.settings import Settings
from service.targets.base import targets
from tests.support.plugged import Answering, plugged


@pytest.fixture
def without_redis(settings: Settings) -> Iterator[Services]:
    """The same database, and a Redis where nothing listens."""
    services = Services.from_settings(replace(settings, redis_url="unix:///nonexistent/redis.sock"))
    yield services
    services.close()


class Slow(Answering):
    """Takes its time, and one request a case; does something once so many cases have been asked."""

    seconds = 0.1
    asked = 0
    at = 6
    act: Callable[[], object] = staticmethod(lambda: None)

    async def complete(self, case: Case) -> Completion:
        type(self).asked += 1
        if self.asked == self.at:
            await asyncio.to_thread(self.act)
        async with self.limiter.slot():
            await asyncio.sleep(self.seconds)
        return replace(await super().complete(case), usage=Usage(requests=1))


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Slow]]:
    """A slow target, in a pipeline that looks around often."""
    monkeypatch.setattr("service.pipeline.pulse.RENEW_SECONDS", 0.1)
    monkeypatch.setattr("service.pipeline.pulse.TICK_SECONDS", 0.05)
    monkeypatch.setattr("service.pipeline.pulse.INVITE_SECONDS", 0.05)
    with monkeypatch.context() as patch:
        for name in ("seconds", "asked", "at", "act"):
            patch.setattr(Slow, name, Slow.__dict__[name])
        with plugged(targets, Slow, "slow"):
            yield Slow
