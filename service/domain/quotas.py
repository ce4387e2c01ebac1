"""What a tenant may use."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Quota:
    """Limits of one tenant; None: no such limit."""

    requests_per_minute: int | None = None
    active_jobs: int | None = None
    """Jobs and judgements that have not ended, paused ones among them."""
    cases_per_day: int | None = None
    """Cases × repeats of the jobs and judgements submitted on one day (UTC)."""
