"""Finding out that a target or a judge is dead from the start, before all cases are paid for in vain."""

import asyncio
from dataclasses import dataclass, field

from service.domain.jobs import Job, Outcome, StatusReason
from service.domain.tallies import total
from service.pipeline.services import Services
from service.store import tallies
from service.store.patience import patient

DEAD_AFTER = 10
"""A model whose first cases all ended in errors is taken for dead after this many."""


@dataclass(slots=True)
class DeathWatch:
    """Looks at a worker's outcomes until one of them has succeeded."""

    services: Services
    job: Job
    _failures: int = field(default=0, init=False)
    """Cases in error since the start; -1 as soon as one has succeeded."""

    async def look_at(self, outcome: Outcome) -> StatusReason | None:
        """Why the job should be paused, if its target or judge seems to be dead."""
        asked_none = self.job.completions_of and outcome.completion.error
        if self._failures < 0 or asked_none:
            return None
        error = outcome.error
        self._failures = self._failures + 1 if error else -1
        if error is None or self._failures != DEAD_AFTER or await asyncio.to_thread(self._has_answers):
            return None
        return StatusReason(
            f"{error.stage}_failing",
            f"The first {DEAD_AFTER} cases all ended in errors, so the rest was not sent. The last error: "
            f"{error.message}",
        )

    @patient
    def _has_answers(self) -> bool:
        with self.services.store.read() as session:
            return total(tallies.read(session, self.job.id)).assessed > 0
