"""Results on their way to the store: flushed in groups, a fraction of a second after they came."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field

from service import metrics
from service.domain.jobs import Job, Outcome
from service.failpoints import failpoint
from service.pipeline.feed import Feed, Run
from service.pipeline.finish import complete
from service.pipeline.services import Services
from service.store import batches, results
from service.store.batches import Batch
from service.store.patience import patient

GATHER_SECONDS = 0.2
"""How long a result waits for others to be written with it."""


@dataclass(slots=True)
class Writer:
    """Takes outcomes from many coroutines and writes them from one."""

    services: Services
    job: Job
    feed: Feed
    _queue: asyncio.Queue[tuple[Run, Outcome]] = field(default_factory=asyncio.Queue, init=False)
    _finished: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    def put(self, run: Run, outcome: Outcome) -> None:
        """Hand in an outcome to be written soon."""
        self._queue.put_nowait((run, outcome))

    def finish(self) -> None:
        """Say that nothing more will come."""
        self._finished.set()

    async def write_all(self) -> None:
        """Write what comes until `finish`.

        Raises:
            StaleClaimError: the job was stopped or deleted; what was in hand is dropped.
        """
        while not (self._finished.is_set() and self._queue.empty()):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._finished.wait(), GATHER_SECONDS)
            group = [self._queue.get_nowait() for _ in range(self._queue.qsize())]
            if group:
                await asyncio.to_thread(self._write, group)

    def _write(self, items: list[tuple[Run, Outcome]]) -> None:
        by_batch: dict[Batch, list[tuple[Run, Outcome]]] = {}
        for run, outcome in items:
            by_batch.setdefault(run.batch, []).append((run, outcome))
        ended = [self._save(batch, part) for batch, part in by_batch.items()]
        if any(ended):
            complete(self.services, self.job)

    @patient
    def _save(self, batch: Batch, part: list[tuple[Run, Outcome]]) -> bool:
        """Write one batch's outcomes; says whether nothing is left to be done for it here.

        What is in hand for a batch that another worker has taken over is dropped: that one asks for it anew.
        """
        missing = self.feed.open_runs[batch.number] - {run.number for run, _ in part}
        with self.services.store.write() as session:
            new = results.save(session, self.job, batch, self.feed.token, [outcome for _, outcome in part])
            if new is None:
                missing = set()
            elif not missing:
                batches.close(session, batch)
            failpoint("writing")
        failpoint("written")
        self.feed.open_runs[batch.number] = missing
        count(self.job, new or [])
        return not missing


def count(job: Job, outcomes: list[Outcome]) -> None:
    """Count stored outcomes in the metrics: after the commit, so that no case is counted that is not there.

    A case judged again has been counted already.
    """
    if job.completions_of:
        return
    for outcome in outcomes:
        verdict = outcome.verdict.value if outcome.verdict else "none"
        metrics.CASES.labels(outcome.disposition.value, verdict).inc()
