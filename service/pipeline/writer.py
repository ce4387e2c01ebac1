"""Results on their way to the store: flushed in groups, a fraction of a second after they came."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from service import metrics
from service.domain.jobs import Job, Outcome
from service.failpoints import failpoint
from service.pipeline.feed import Feed, Run
from service.pipeline.finish import complete
from service.pipeline.services import Services
from service.store import results
from service.store.batches import Batch
from service.store.patience import patient
from service.store.results import Saved

GATHER_SECONDS = 0.2
"""How long a result waits for others to be written with it."""


@dataclass(slots=True)
class Writer:
    """Takes outcomes from many coroutines and writes them from one."""

    services: Services
    job: Job
    feed: Feed
    drop: Callable[[Batch], None]
    """Told of each batch that has passed to another worker: what was in hand for it is lost."""
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
                for lost in await asyncio.to_thread(self._write, group):
                    self.drop(lost)

    def _write(self, items: list[tuple[Run, Outcome]]) -> list[Batch]:
        """Write outcomes; gives the batches that are no longer ours to write."""
        by_batch: dict[Batch, list[Outcome]] = {}
        for run, outcome in items:
            by_batch.setdefault(run.batch, []).append(outcome)
        saved = {batch: self._save(batch, outcomes) for batch, outcomes in by_batch.items()}
        if any(each is None or each.done for each in saved.values()):
            complete(self.services, self.job)
        return [batch for batch, each in saved.items() if each is None]

    @patient
    def _save(self, batch: Batch, outcomes: list[Outcome]) -> Saved | None:
        with self.services.store.write() as session:
            saved = results.save(session, self.job, batch, self.feed.token, outcomes)
            failpoint("writing")
        failpoint("written")
        if saved:
            count(self.job, saved.new)
            if saved.done:
                self.feed.known.discard(batch.number)
        return saved


def count(job: Job, outcomes: list[Outcome]) -> None:
    """Count stored outcomes in the metrics: after the commit, so that no case is counted that is not there.

    A case judged again has been counted already.
    """
    if job.completions_of:
        return
    for outcome in outcomes:
        verdict = outcome.verdict.value if outcome.verdict else "none"
        metrics.CASES.labels(outcome.disposition.value, verdict).inc()
