"""The states of a job and the one table of legal moves between them.

Everything that changes a job's state (API, workers, sweeper) does so by compare-and-set from a state that this table
allows; nothing else decides what is legal.
"""

from collections.abc import Mapping
from enum import StrEnum


class JobStatus(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    GENERATING = "generating"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether the job has ended. Only a person asking to retry its errors opens a completed job again."""
        return self in FINAL

    @property
    def is_active(self) -> bool:
        """Whether workers have something to do for the job."""
        return self in {JobStatus.QUEUED, JobStatus.GENERATING, JobStatus.RUNNING}


FINAL = frozenset({JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED})

MOVES: Mapping[JobStatus, frozenset[JobStatus]] = {
    JobStatus.QUEUED: frozenset(
        {JobStatus.GENERATING, JobStatus.RUNNING, JobStatus.PAUSED, JobStatus.FAILED, JobStatus.CANCELLED}
    ),
    JobStatus.GENERATING: frozenset({JobStatus.RUNNING, JobStatus.PAUSED, JobStatus.FAILED, JobStatus.CANCELLED}),
    JobStatus.RUNNING: frozenset({JobStatus.COMPLETED, JobStatus.PAUSED, JobStatus.FAILED, JobStatus.CANCELLED}),
    JobStatus.PAUSED: frozenset({JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.CANCELLED}),
    JobStatus.COMPLETED: frozenset({JobStatus.RUNNING}),
    JobStatus.FAILED: frozenset(),
    JobStatus.CANCELLED: frozenset(),
}


def sources(to: JobStatus) -> frozenset[JobStatus]:
    """The states from which `to` may be reached in one move."""
    return frozenset(state for state, targets in MOVES.items() if to in targets)
