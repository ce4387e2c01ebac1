"""Claiming batches by hand."""

from sqlalchemy import select

from service.domain.jobs import Job
from service.store import batches
from service.store.batches import Batch
from service.store.session import Store
from service.store.tables import BatchRow


def try_to_claim(store: Store, job: Job, token: str = "a") -> Batch | None:
    """Claim a batch, as a worker does that knows what it holds."""
    with store.write() as session:
        held = select(BatchRow.number).where(BatchRow.job_id == job.id, BatchRow.claim == token)
        return batches.claim_next(session, job.id, token, session.scalars(held).all())


def claim(store: Store, job: Job, token: str = "a") -> Batch:
    """Claim a batch that there is to be had."""
    batch = try_to_claim(store, job, token)
    assert batch
    return batch
