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
    def is_terminal(self) -> bool:
        """Whether nothing will ever change it again."""
        return not MOVES[self]


MOVES: Mapping[JobStatus, frozenset[JobStatus]] = {
    JobStatus.QUEUED: frozenset({JobStatus.GENERATING, JobStatus.FAILED, JobStatus.CANCELLED}),
    JobStatus.GENERATING: frozenset({JobStatus.RUNNING, JobStatus.FAILED, JobStatus.CANCELLED}),
    JobStatus.RUNNING: frozenset({JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED}),
    JobStatus.PAUSED: frozenset({JobStatus.CANCELLED}),
    JobStatus.COMPLETED: frozenset(),
    JobStatus.FAILED: frozenset(),
    JobStatus.CANCELLED: frozenset(),
}

ACTIVE = frozenset({JobStatus.QUEUED, JobStatus.GENERATING, JobStatus.RUNNING})
"""States in which workers have something to do for the job."""


def sources(to: JobStatus) -> frozenset[JobStatus]:
    """The states from which `to` may be reached in one move."""
    return frozenset(state for state, targets in MOVES.items() if to in targets)
