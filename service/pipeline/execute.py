"""Running a job: one worker's part in it, from claiming batches to the last result."""

import asyncio
import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from service import tracing
from service.domain.jobs import Job, Outcome, StatusReason
from service.domain.lifecycle import JobStatus
from service.errors import StaleClaimError
from service.pipeline import fairness
from service.pipeline.assess import assess, assess_again
from service.pipeline.caps import reached
from service.pipeline.deathwatch import DeathWatch
from service.pipeline.equipment import Equipment, equip, unreadable
from service.pipeline.feed import Feed, Run
from service.pipeline.finish import fail, halt
from service.pipeline.pulse import Pulse
from service.pipeline.services import Services
from service.pipeline.wake import wake
from service.pipeline.watched import on_job
from service.pipeline.writeoff import write_off_lost_batches
from service.pipeline.writer import Writer
from service.store import batches, jobs
from service.store.batches import Batch
from service.store.patience import patient
from service.store.vault import VaultError

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
    await Lane(services, job, Feed(services, job, token), equipment, stopping).run()


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
    _death_watch: DeathWatch = field(init=False)
    _cases: dict[asyncio.Task[None], Run] = field(default_factory=dict, init=False)
    _dropped: set[int] = field(default_factory=set, init=False)
    """Numbers of batches that other workers have taken over."""
    _reason: StatusReason | None = field(default=None, init=False)
    """Why no call can succeed any more, once that is known."""
    _cut_off: asyncio.TimerHandle | None = field(default=None, init=False)
    """Ends what is still under way when the grace is over."""
    _lost: int = field(default=0, init=False)
    """Cases cut off to make room for other jobs."""

    def __post_init__(self) -> None:
        self._death_watch = DeathWatch(self.services, self.job)

    async def run(self) -> None:
        """Work, then give everything back: batches, connections, slots; and say what becomes of the job.

        Batches go first: a Redis that hangs must not keep them from other workers. Where something fails that nobody
        foresaw they are kept, so that this counts as the loss of a worker: the third time they are given up, or else
        they would be asked for and paid for without end.
        """
        try:
            await self._take_part()
            job = await asyncio.to_thread(self._hand_back)
        finally:
            await self.equipment.close()
        if job and job.status is JobStatus.RUNNING:
            self._pause_or_wake(job)

    async def _take_part(self) -> None:
        writer = Writer(self.services, self.job, self.feed, self._drop)
        try:
            async with asyncio.TaskGroup() as group:
                pulse = group.create_task(self._pulse().beat())
                writing = group.create_task(writer.write_all())
                await self._work(writer)
                writer.finish()
                await writing
                pulse.cancel()
        except* StaleClaimError:
            logger.info("leaving %s: it has ended or was stopped", self.job.id)

    async def _work(self, writer: Writer) -> None:
        room = asyncio.Semaphore(max(1, self.equipment.maximum))
        async with asyncio.TaskGroup() as group:
            async for run in self.feed.runs():
                await room.acquire()
                if self.feed.stopped.is_set():
                    break
                case = group.create_task(self._run_case(run, writer))
                case.add_done_callback(lambda _: room.release())
                case.add_done_callback(self._cases.pop)
                self._cases[case] = run

    async def _run_case(self, run: Run, writer: Writer) -> None:
        if run.batch.number in self._dropped:
            return
        with tracing.span("case", {"proofhouse.case": run.case.index, "proofhouse.repeat": run.repeat}) as span:
            outcome = await self._assess(run)
            verdict = outcome.verdict.value if outcome.verdict else "none"
            span.note({"proofhouse.disposition": outcome.disposition.value, "proofhouse.verdict": verdict})
        if outcome.error and outcome.error.stops_job:
            self._halt(StatusReason(f"{outcome.error.stage}_{outcome.error.code}", outcome.error.message))
            return
        writer.put(run, outcome)
        if death := await self._death_watch.look_at(outcome):
            self._halt(death)

    async def _assess(self, run: Run) -> Outcome:
        if self.equipment.target:
            return await assess(self.equipment.target, self.equipment.judge, run.case, run.repeat)
        if run.recorded is None:
            raise StaleClaimError(f"what {self.job.id} judges has been deleted")
        return await assess_again(self.equipment.judge, run.recorded)

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

    def _stop(self, why: str, grace: float | None) -> None:
        """Give out no more work; what is under way may end, within `grace` seconds if that is given, now or later."""
        if not self.feed.stopped.is_set():
            logger.info("stopping work on %s: %s", self.job.id, why)
            self.feed.stop()
        if grace is not None and self._cut_off is None:
            self._cut_off = asyncio.get_running_loop().call_later(grace, self._abandon_cases)

    def _make_room(self) -> None:
        """Hand back what is under way. A case that still waits for its first call has cost nothing."""
        if self._cases:
            logger.info("cutting off %d cases of %s: other jobs have waited long enough", len(self._cases), self.job.id)
        self._lost += max(0, len(self._cases) - self.equipment.throttles[0].limiter.waiting)
        self._abandon_cases()

    def _abandon_cases(self) -> None:
        for case in self._cases:
            case.cancel()

    def _drop(self, batch: Batch) -> None:
        """Ask nothing more for a batch that another worker has taken over."""
        self._dropped.add(batch.number)
        for case, run in self._cases.items():
            if run.batch == batch:
                case.cancel()

    @patient
    def _hand_back(self) -> Job | None:
        with self.services.store.write() as session:
            jobs.lock(session, self.job.id)
            # Batches can be handed back once, so that cases are counted once even if this is done again.
            if batches.hand_back(session, self.job.id, self.feed.token) and self._lost:
                jobs.note_cut_off(session, self.job.id, self._lost)
            return jobs.load(session, self.job.id)

    def _pause_or_wake(self, job: Job) -> None:
        """Pause the job if it can't go on or has come to a limit, by what stands there now; or have others go on."""
        reason = self._reason or patient(reached)(self.services, job)
        if self._lost and not reason:
            reason = fairness.too_many_cut_off(self.services, job, self.equipment.maximum)
        if reason:
            halt(self.services, job, reason)
        else:
            wake(self.services, job)
