"""What a worker needs to run a job: its target and its judge, each with a limiter that all workers share.

For a judgement that is the judge alone.
"""

import asyncio
import logging
from dataclasses import dataclass

from redis.exceptions import RedisError

from service.domain.jobs import Job, StatusReason
from service.domain.specs import PluginSpec
from service.judges.base import Judge, judges
from service.llm.limits import PacedLimiter
from service.llm.pace import Pace
from service.llm.slots import SharedSlots
from service.pipeline.services import Services
from service.registry import join_secrets
from service.store.vault import VaultError
from service.targets.base import Target, targets

logger = logging.getLogger(__name__)


class Throttle:
    """The limiter of one role, its capacity being this worker's share of what all workers may do together."""

    def __init__(self, services: Services, tenant: str, spec: PluginSpec, lane: str) -> None:
        self.maximum: int = spec.options.get("max_concurrency", 0)
        """0 for a plug-in that calls no model."""
        address = str(spec.options.get("base_url", spec.name)).rstrip("/")
        model = "|".join([tenant, address, str(spec.options.get("model"))])
        # Slots are each role's own: those of a target whose cases wait for their judge would never come free for it.
        self._slots = SharedSlots(services.redis, f"{model}|{spec.name}", lane, self.maximum)
        self.limiter = PacedLimiter(
            requests=_pace(services, f"{model}|requests", spec.options.get("requests_per_minute")),
            tokens=_pace(services, f"{model}|tokens", spec.options.get("tokens_per_minute")),
        )

    def renew(self, wanted: int) -> int:
        """Ask for this worker's share. While Redis is out of reach the last one stands: the sum can't have grown."""
        try:
            held = max(self.limiter.in_use, self.limiter.capacity)
            return self._slots.renew(held=held, wanted=min(wanted, self.maximum))
        except RedisError as error:
            logger.warning("redis is out of reach, keeping %d slots: %s", self.limiter.capacity, error)
            return self.limiter.capacity

    def release(self) -> None:
        """Leave all slots to the others; a grant that can't be given back lapses."""
        try:
            self._slots.release()
        except RedisError as error:
            logger.warning("slots not given back: %s", error)


def _pace(services: Services, name: str, per_minute: int | None) -> Pace | None:
    return Pace(services.redis, name, per_minute) if per_minute else None


@dataclass(frozen=True, slots=True)
class Equipment:
    """A job's plug-ins, built and limited."""

    target: Target | None
    """None for a judgement."""
    judge: Judge
    throttles: tuple[Throttle, ...]
    """Of the target, if there is one, and of the judge."""

    @property
    def maximum(self) -> int:
        """How many cases are worth having under way: one for each call that target and judge may have at once."""
        return max(1, sum(throttle.maximum for throttle in self.throttles))

    async def close(self) -> None:
        """Release connections and slots."""
        if self.target:
            await self.target.close()
        await self.judge.close()
        for throttle in self.throttles:
            await asyncio.to_thread(throttle.release)


def equip(services: Services, job: Job, sealed: bytes | None, lane: str) -> Equipment:
    """Build the job's plug-ins from their options and sealed secrets.

    Raises:
        VaultError: the secrets were sealed with a key that this worker does not have.
    """
    secrets = services.vault.open(sealed)
    of_judge = Throttle(services, job.tenant, job.judge, lane)
    options = join_secrets(judges.schema(job.judge.name), job.judge.options, secrets.get("judge", {}))
    judge = judges.get(job.judge.name)(options, of_judge.limiter)
    if job.completions_of:
        return Equipment(None, judge, (of_judge,))
    of_target = Throttle(services, job.tenant, job.target, lane)
    options = join_secrets(targets.schema(job.target.name), job.target.options, secrets.get("target", {}))
    target = targets.get(job.target.name)(options, of_target.limiter)
    return Equipment(target, judge, (of_target, of_judge))


def unreadable(error: VaultError) -> StatusReason:
    """Why a job is paused whose secrets this worker can't read: another may, or this one when it is started again."""
    return StatusReason(error.code, f"{error} Then resume the job.")
