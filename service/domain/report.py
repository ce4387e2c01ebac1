"""A job's report: everything that follows from its counts. Holds no time of writing, so that reports can be compared."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from service.domain.completions import Usage
from service.domain.gates import NO_GATE, Gate, evaluate
from service.domain.jobs import Job
from service.domain.lifecycle import JobStatus
from service.domain.roles import ModelRole
from service.domain.statistics import Rate, wilson
from service.domain.tallies import Counts, Tally, grouped, total
from service.domain.verdicts import Disposition
