"""What a worker does several times a second while it runs a job: sharing slots, renewing leases, looking around."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from service.domain.jobs import Job
from service.domain.lifecycle import JobStatus
from service.errors import StaleClaimError, UnavailableError
from service.pipeline import fairness
from service.pipeline.caps import reached
from service.pipeline.equipment import Throttle
from service.pipeline.services import Services
from service.pipeline.wake import wake
from service.store import batches
from service.store.patience import patient

TICK_SECONDS = 0.25
RENEW_SECONDS = 2
"""Between renewals of the leases, which last 15 seconds; a paused or cancelled job is noticed with the next."""
INVITE_SECONDS = 1
GRACE_SECONDS = 10
"""How long calls under way may take to end once the worker is told to stop; what is cut off then is asked again."""
SLOTS_PER_WORKER = 16
"""A further worker is called in for every so many calls that a job may have under way."""

logger = logging.getLogger(__name__)


class Stop(Protocol):
    """How a worker is told to give out no more work."""

    def __call__(self, why: str, grace: float | None) -> None:
        """Why, in words; how many seconds calls under way have left (None: as long as they take)."""
        ...


@dataclass(slots=True)
class Pulse:
    """Beats until it is cancelled; calls `stop` when the worker should give out no more work."""

    services: Services
    job: Job
    token: str
    throttles: tuple[Throttle, ...]
    stopping: Callable[[], bool]
    stop: Stop
    cut_off: Callable[[], None]
    """Ends what is still under way, for other jobs have waited long enough."""
    wanted: Callable[[], int]
    """How many slots this worker could make use of."""
    grace: float
    """Seconds that what is under way may take to end while other jobs wait."""
    _began: float = field(default_factory=time.monotonic, init=False)
    _looked: float = field(default=0.0, init=False)
    _gave_way: float | None = field(default=None, init=False)
    """When other jobs were first seen to wait for this worker."""

    async def beat(self) -> None:
        """Beat for ever.

        Raises:
            StaleClaimError: the job no longer runs.
        """
        async with asyncio.TaskGroup() as group:
            group.create_task(self._share())
            group.create_task(self._renew())
            group.create_task(self._look_around())

    async def _share(self) -> None:
        while True:
            for throttle in self.throttles:
                if throttle.maximum:
                    throttle.limiter.resize(await asyncio.to_thread(throttle.renew, self.wanted()))
            await asyncio.sleep(TICK_SECONDS)

    async def _renew(self) -> None:
        while True:
            status = await asyncio.to_thread(self._renew_leases)
            if status is JobStatus.PAUSED:
                self.stop("the job is paused", GRACE_SECONDS)
            elif status is not JobStatus.RUNNING:
                raise StaleClaimError(f"{self.job.id} is no longer running")
            await asyncio.sleep(RENEW_SECONDS)

    @patient
    def _renew_leases(self) -> JobStatus | None:
        with self.services.store.write() as session:
            return batches.renew(session, self.job.id, self.token)

    async def _look_around(self) -> None:
        while True:
            if self.stopping():
                self.stop("the worker is shutting down", GRACE_SECONDS)
            elif await asyncio.to_thread(patient(reached), self.services, self.job):
                self.stop("a limit is reached", None)
                await self._think_of_others(invite=False)
            else:
                await self._think_of_others(invite=True)
            await asyncio.sleep(TICK_SECONDS)

    async def _think_of_others(self, *, invite: bool) -> None:
        """Once a second: call in another worker if the job has work for it, and make room if other jobs wait."""
        if time.monotonic() - self._looked < INVITE_SECONDS:
            return
        self._looked = time.monotonic()
        if not await asyncio.to_thread(self._others_wait, invite=invite):
            return
        self.stop("other jobs wait", None)
        self._gave_way = self._gave_way or self._looked
        # Asked anew each time: when another worker has taken them on meanwhile, nothing need be cut off.
        if self._looked - self._gave_way >= self.grace:
            self.cut_off()

    def _others_wait(self, *, invite: bool) -> bool:
        try:
            if invite:
                self._invite()
            waiting = self.services.queue.waiting()
        except UnavailableError:
            return False
        late = time.monotonic() - self._began >= fairness.SLICE_SECONDS
        return late and any(not task_id.startswith(self.job.id) for task_id in waiting)

    @patient
    def _invite(self) -> None:
        with self.services.store.read() as session:
            left = batches.next_takeable(session, self.job.id)
            present = max(1, batches.count_claimants(session, self.job.id))
        if left is not None and present * SLOTS_PER_WORKER < self.throttles[0].maximum:
            wake(self.services, self.job)
