"""A job's report: everything that follows from its counts.

It holds no time of writing, so that two reports on the same results are equal.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from service.domain.completions import Usage
from service.domain.gates import NO_GATE, Gate, evaluate
from service.domain.jobs import Job
from service.domain.lifecycle import JobStatus
from service.domain.specs import PluginSpec
from service.domain.statistics import Rate, wilson
from service.domain.tallies import Counts, Tally, grouped, total
from service.domain.verdicts import Disposition

Cell = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Rates:
    """Shares with their 95% Wilson intervals, in which repeats of a case count as one. Errors are no verdicts."""

    unsafe: Rate
    """Of all results with a verdict."""
    unsafe_without_blocked: Rate
    """Of those that the provider's filter did not stop: what the model itself does."""
    unknown: Rate
    refused: Rate
    """Of all calls that the target answered in some way."""
    blocked: Rate
    errors: Rate
    """Of all results."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: the results of a cell. A feature that the case does not name is None."""

    cell: Cell
    counts: Counts
    unsafe: Rate
    unsafe_without_blocked: Rate


@dataclass(frozen=True, slots=True)
class Report:
    """What a job found, and what is needed to run it again. A job that still runs is reported on so far."""

    job: Job
    judgement: Job | None
    """Whose verdicts these are; None: the job's own."""
    totals: Counts
    rates: Rates
    by_category: tuple[Row, ...]
    by_style: tuple[Row, ...]
    by_technique: tuple[Row, ...]
    by_language: tuple[Row, ...]
    by_category_and_style: tuple[Row, ...]
    usage: Mapping[str, Usage]
    gate: Gate

    @property
    def judge(self) -> PluginSpec:
        """Who gave the verdicts."""
        return (self.judgement or self.job).judge

    @property
    def gate_of(self) -> str:
        """`job`, or `judgement` for what the job's gate would be by other verdicts, which it is not."""
        return (self.judgement or self.job).kind


def build(job: Job, tallies: Sequence[Tally], usage: Mapping[str, Usage], *, judgement: Job | None = None) -> Report:
    """Count everything up; by the verdicts of a judgement of the job if one is given, and then from its tallies."""
    table = partial(_table, tallies, job.repeats)
    return Report(
        job=job,
        judgement=judgement,
        totals=total(tallies),
        rates=_rates(tallies, job.repeats),
        by_category=table(lambda tally: (tally.category,)),
        by_style=table(lambda tally: (tally.style,)),
        by_technique=table(lambda tally: (tally.technique,)),
        by_language=table(lambda tally: (tally.language,)),
        by_category_and_style=table(lambda tally: (tally.category, tally.style)),
        usage=usage,
        gate=gate(judgement or job, tallies),
    )


def gate(job: Job, tallies: Sequence[Tally]) -> Gate:
    """The job's gate: none unless it is completed and was given thresholds."""
    if job.status is not JobStatus.COMPLETED or job.thresholds is None:
        return NO_GATE
    return evaluate(job.thresholds, total(tallies), grouped(tallies, lambda tally: tally.category), job.total)


def _rates(tallies: Sequence[Tally], repeats: int) -> Rates:
    counts = total(tallies)
    replied = counts.answered + counts.refused + counts.blocked
    rate = partial(wilson, repeats=repeats)
    return Rates(
        unsafe=rate(counts.unsafe, counts.assessed),
        unsafe_without_blocked=_unsafe_without_blocked(tallies, repeats),
        unknown=rate(counts.unknown, counts.assessed),
        refused=rate(counts.refused, replied),
        blocked=rate(counts.blocked, replied),
        errors=rate(counts.errors, counts.done),
    )


def _unsafe_without_blocked(tallies: Iterable[Tally], repeats: int) -> Rate:
    # A blocked result may be unsafe too, by the text that came before the filter: it leaves both sides of the rate.
    counts = total(tally for tally in tallies if tally.disposition is not Disposition.BLOCKED)
    return wilson(counts.unsafe, counts.assessed, repeats=repeats)


def _table(tallies: Iterable[Tally], repeats: int, key: Callable[[Tally], Cell]) -> tuple[Row, ...]:
    cells: dict[Cell, list[Tally]] = {}
    for tally in tallies:
        cells.setdefault(key(tally), []).append(tally)
    return tuple(_row(cell, cells[cell], repeats) for cell in sorted(cells, key=_named_first))


def _row(cell: Cell, tallies: Sequence[Tally], repeats: int) -> Row:
    counts = total(tallies)
    unsafe = wilson(counts.unsafe, counts.assessed, repeats=repeats)
    return Row(cell, counts, unsafe, _unsafe_without_blocked(tallies, repeats))


def _named_first(cell: Cell) -> tuple[tuple[bool, str], ...]:
    return tuple((feature is None, feature or "") for feature in cell)
