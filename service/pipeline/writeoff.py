"""Giving up on batches whose workers keep dying, so that the rest of the job can end."""

import logging
from contextlib import suppress
from dataclasses import replace

from service.domain.completions import CallError, Completion, ErrorCode, Judgement
from service.domain.jobs import Job, Outcome
from service.domain.verdicts import Disposition
from service.errors import StaleClaimError
from service.pipeline.feed import Run, unfold
from service.pipeline.finish import complete
from service.pipeline.services import Services
from service.pipeline.writer import count
from service.store import batches, results
from service.store.batches import MAX_ATTEMPTS, Batch

logger = logging.getLogger(__name__)

LOST = CallError(
    ErrorCode.WORKER_LOST,
    f"The worker running this case died {MAX_ATTEMPTS} times, so it was given up; the workers' logs may say why.",
)


def write_off_lost_batches(services: Services, job: Job, token: str) -> None:
    """Store an error for every case without a result of batches that have lost their worker too often."""
    with services.store.write() as session:
        lost = batches.take_exhausted(session, job.id, token)
    with suppress(StaleClaimError):  # the job was stopped at this moment
        for batch in lost:
            logger.error("giving up batch %d of %s: it lost its worker %d times", batch.number, job.id, MAX_ATTEMPTS)
            _write_off(services, job, batch, token)
    if lost:
        complete(services, job)


def _write_off(services: Services, job: Job, batch: Batch, token: str) -> None:
    outcomes = [_lost(run) for run in unfold(services, job, batch)]
    with services.store.write() as session:
        saved = results.save(session, job, batch, token, outcomes)
    if saved:
        count(job, saved.new)


def _lost(run: Run) -> Outcome:
    if run.recorded is None:
        return Outcome(run.case, run.repeat, Completion(error=LOST, attempts=0), Disposition.ERROR, None)
    if run.recorded.completion.error:
        return run.recorded
    judgement = Judgement(None, "", error=replace(LOST, stage="judge"))
    return Outcome(run.case, run.repeat, Completion(attempts=0), run.recorded.disposition, judgement)
