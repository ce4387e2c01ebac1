"""The runs a worker has to do, claimed batch by batch."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from service.domain.cases import Case
from service.domain.jobs import Job, Outcome
from service.failpoints import failpoint
from service.pipeline.services import Services
from service.store import batches, cases, recorded
from service.store.batches import Batch
from service.store.patience import patient


@dataclass(frozen=True, slots=True)
class Run:
    """One case to be run, for the `repeat`-th time, as part of a batch; `number` counts through the whole job."""

    batch: Batch
    number: int
    case: Case
    repeat: int
    recorded: Outcome | None = None
    """Of a judgement: what the job that it judges has stored for this run."""


@dataclass(slots=True)
class Feed:
    """Gives run after run of a job, claiming the next batch when the last one has been given out."""

    services: Services
    job: Job
    token: str
    stopped: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    exhausted: bool = field(default=False, init=False)
    """Whether nothing more will be given out."""
    known: set[int] = field(default_factory=set, init=False)
    """Numbers of the batches claimed and not closed, among them those that have passed to other workers since."""

    def stop(self) -> None:
        """Claim nothing more and give nothing more out."""
        self.stopped.set()

    async def runs(self) -> AsyncIterator[Run]:
        """Every run to be had, until none is left or the feed is stopped."""
        while not self.stopped.is_set():
            claimed = await asyncio.to_thread(self._claim)
            if not claimed:
                break
            for run in claimed:
                if self.stopped.is_set():
                    break
                yield run
        self.exhausted = True

    @patient
    def _claim(self) -> list[Run]:
        with self.services.store.write() as session:
            batch = batches.claim_next(session, self.job.id, self.token, list(self.known))
        failpoint("claimed")
        if batch is None:
            return []
        self.known.add(batch.number)
        return unfold(self.services, self.job, batch)


@patient
def unfold(services: Services, job: Job, batch: Batch) -> list[Run]:
    """The runs of a batch that have no result yet, in order."""
    size = job.suite.size
    repeat, first = divmod(batch.first, size)
    with services.store.read() as session:
        found = cases.read(session, job.suite.id, first, batch.last - repeat * size)
        stored = batches.stored_runs(session, batch, size)
        completed = recorded.read_outcomes(session, job.completions_of, repeat, found) if job.completions_of else ()
    completions = {outcome.case.index: outcome for outcome in completed}
    runs = (Run(batch, repeat * size + case.index, case, repeat, completions.get(case.index)) for case in found)
    return [run for run in runs if run.number not in stored]
