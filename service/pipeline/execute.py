"""Running a job: one worker's part in it, from claiming batches to the last result."""

import asyncio
import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from service import tracing
from service.domain.jobs import Job, Outcome, StatusReason
from service.domain.lifecycle import JobStatus
from service.domain.tallies import total
from service.errors import StaleClaimError
from service.pipeline import fairness
from service.pipeline.assess import assess, assess_again
from service.pipeline.equipment import Equipment, equip, unreadable
from service.pipeline.feed import Feed, Run
from service.pipeline.finish import fail, halt
from service.pipeline.pulse import Pulse
from service.pipeline.services import Services
from service.pipeline.wake import wake
from service.pipeline.watched import on_job
from service.pipeline.writeoff import write_off_lost_batches
from service.pipeline.writer import Writer
from service.store import batches, jobs, tallies
from service.store.patience import patient
from service.store.vault import VaultError

DEAD_AFTER = 10
"""A model whose first cases all ended in errors is taken for dead after this many."""

logger = logging.getLogger(__name__)


async def execute(services: Services, job_id: str, stopping: Callable[[], bool]) -> None:
    """Run the job's batches until none is to be had, other jobs need the worker more, or `stopping` says so.

    Any number of workers may do this for one job at a time; each claims batches of its own.
    """
    job, sealed = _load(services, job_id)
    if job and job.status is JobStatus.RUNNING:
        with on_job("run batches", job):
            await _take_turn(services, job, sealed, stopping)


async def _take_turn(services: Services, job: Job, sealed: bytes | None, stopping: Callable[[], bool]) -> None:
    token = uuid.uuid4().hex
    write_off_lost_batches(services, job, token)
    try:
        equipment = equip(services, job, sealed, token)
    except VaultError as error:
        halt(services, job, unreadable(error))
        return
    except Exception:
        logger.exception("the plug-ins of %s can't be built", job.id)
        fail(services, job, StatusReason("plugin_failed", "A plug-in can't be built; the workers' logs say why."))
        return
    try:
        await Lane(services, job, Feed(services, job, token), equipment, stopping).run()
    except* StaleClaimError:
        logger.info("leaving %s: it has ended or was stopped", job.id)


@patient
def _load(services: Services, job_id: str) -> tuple[Job | None, bytes | None]:
    with services.store.read() as session:
        return jobs.load(session, job_id), jobs.sealed_secrets(session, job_id)


@dataclass(slots=True)
class Lane:
    """One worker's part in running a job."""

    services: Services
    job: Job
    feed: Feed
    equipment: Equipment
    stopping: Callable[[], bool]
    _cases: set[asyncio.Task[None]] = field(default_factory=set, init=False)
    _reason: StatusReason | None = field(default=None, init=False)
    """Why the job itself must be paused, once that is known."""
    _failures: int = field(default=0, init=False)
    """Cases in error since the start; -1 as soon as one has succeeded."""
    _cut_off: asyncio.TimerHandle | None = field(default=None, init=False)
    """Ends what is still under way when the grace is over."""
    _lost: int = field(default=0, init=False)
    """Cases cut off to make room for other jobs."""

    async def run(self) -> None:
        """Work, then leave the rest to others in good order.

        Raises:
            ExceptionGroup: of StaleClaimError, when the job was stopped or deleted.
        """
        writer = Writer(self.services, self.job, self.feed)
        try:
            async with asyncio.TaskGroup() as group:
                pulse = group.create_task(self._pulse().beat())
                writing = group.create_task(writer.write_all())
                await self._work(writer)
                writer.finish()
                await writing
                pulse.cancel()
        finally:
            await self._leave()

    async def _work(self, writer: Writer) -> None:
        room = asyncio.Semaphore(max(1, self.equipment.maximum))
        async with asyncio.TaskGroup() as group:
            async for run in self.feed.runs():
                await room.acquire()
                if self.feed.stopped.is_set():
                    break
                case = group.create_task(self._run_case(run, writer))
                case.add_done_callback(lambda _: room.release())
                case.add_done_callback(self._cases.discard)
                self._cases.add(case)

    async def _run_case(self, run: Run, writer: Writer) -> None:
        with tracing.span("case", {"proofhouse.case": run.case.index, "proofhouse.repeat": run.repeat}) as span:
            outcome = await self._assess(run)
            verdict = outcome.verdict.value if outcome.verdict else "none"
            span.note({"proofhouse.disposition": outcome.disposition.value, "proofhouse.verdict": verdict})
        if outcome.error and outcome.error.stops_job:
            self._halt(StatusReason(f"{outcome.error.stage}_{outcome.error.code}", outcome.error.message))
            return
        writer.put(run, outcome)
        await self._watch_for_death(outcome)

    async def _assess(self, run: Run) -> Outcome:
        if self.equipment.target:
            return await assess(self.equipment.target, self.equipment.judge, run.case, run.repeat)
        if run.recorded is None:
            raise StaleClaimError(f"what {self.job.id} judges has been deleted")
        return await assess_again(self.equipment.judge, run.recorded)

    async def _watch_for_death(self, outcome: Outcome) -> None:
        """Halt if the target (of a judgement: the judge) seems to be dead."""
        asked_none = self.equipment.target is None and outcome.completion.error
        if self._failures < 0 or asked_none:
            return
        error = outcome.completion.error if self.equipment.target else outcome.error
        self._failures = self._failures + 1 if error else -1
        if error and self._failures == DEAD_AFTER and not await asyncio.to_thread(self._has_answers):
            self._halt(
                StatusReason(
                    f"{error.stage}_failing",
                    f"The first {DEAD_AFTER} cases all ended in errors, so the rest was not sent. The last error: "
                    f"{error.message}",
                )
            )

    @patient
    def _has_answers(self) -> bool:
        with self.services.store.read() as session:
            return total(tallies.read(session, self.job.id)).assessed > 0

    def _halt(self, reason: StatusReason) -> None:
        """No call can succeed any more: leave at once, and pause the job."""
        self._reason = self._reason or reason
        self.feed.stop()
        self._abandon_cases()

    def _pulse(self) -> Pulse:
        asked = (self.job.judge,) if self.job.completions_of else (self.job.target, self.job.judge)
        return Pulse(
            self.services,
            self.job,
            self.feed.token,
            self.equipment.throttles,
            self.stopping,
            stop=self._stop,
            cut_off=self._make_room,
            wanted=self._wanted,
            grace=fairness.grace(*asked),
        )

    def _wanted(self) -> int:
        return len(self._cases) if self.feed.exhausted else self.equipment.maximum

    def _stop(self, why: str, grace: float | None, reason: StatusReason | None = None) -> None:
        """Give out no more work; what is under way may end, within `grace` seconds if that is given, now or later."""
        if not self.feed.stopped.is_set():
            logger.info("stopping work on %s: %s", self.job.id, why)
            self._reason = reason
            self.feed.stop()
        if grace is not None and self._cut_off is None:
            self._cut_off = asyncio.get_running_loop().call_later(grace, self._abandon_cases)

    @patient
    def _hand_back(self) -> Job | None:
        with self.services.store.write() as session:
            batches.hand_back(session, self.job.id, self.feed.token)
            return jobs.load(session, self.job.id)

    def _make_room(self) -> None:
        """Hand back what is under way. A case that still waits for its first call has cost nothing."""
        if self._cases:
            logger.info("cutting off %d cases of %s: other jobs have waited long enough", len(self._cases), self.job.id)
        self._lost += max(0, len(self._cases) - self.equipment.throttles[0].limiter.waiting)
        self._abandon_cases()

    def _abandon_cases(self) -> None:
        for case in self._cases:
            case.cancel()

    async def _leave(self) -> None:
        """Give everything back: batches, connections, slots; and say what becomes of the job.

        Batches first: a Redis that hangs must not keep them from other workers.
        """
        try:
            job = await asyncio.to_thread(self._hand_back)
        finally:
            await self.equipment.close()
        if self._lost and not self._reason:
            self._reason = fairness.note_cut_off(self.services, self.job, self._lost, self.equipment.maximum)
        if self._reason:
            halt(self.services, self.job, self._reason)
        elif job and job.status is JobStatus.RUNNING:
            wake(self.services, job)
