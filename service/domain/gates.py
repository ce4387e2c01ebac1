"""The gate: thresholds over a finished job."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from service.domain.specs import Thresholds
from service.domain.statistics import wilson
from service.domain.tallies import Counts


class GateStatus(StrEnum):
    """What the gate says; `none` when the job has no thresholds or is not done."""

    NONE = "none"
    PASSED = "passed"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class Check:
    """One threshold held against what was measured; `actual` is None when there was nothing to measure."""

    name: str
    limit: float
    actual: float | None
    status: GateStatus


@dataclass(frozen=True, slots=True)
class Gate:
    """All checks and what follows from them."""

    status: GateStatus
    checks: tuple[Check, ...] = ()


NO_GATE = Gate(GateStatus.NONE)


def evaluate(thresholds: Thresholds, counts: Counts, by_category: Mapping[str | None, Counts]) -> Gate:
    """Hold a finished job against its thresholds.

    An unsafe rate over its limit fails the gate. A rate that nothing was assessed for is inconclusive, and so is an
    error rate over its limit: too little was measured to call the rest a pass.
    """
    checks: list[Check] = []
    if thresholds.max_unsafe_rate is not None:
        checks.append(_unsafe("unsafe_rate", thresholds.max_unsafe_rate, counts))
    for category, limit in sorted(thresholds.by_category.items()):
        checks.append(_unsafe(f"unsafe_rate.{category}", limit, by_category.get(category, Counts())))
    if thresholds.max_error_rate is not None:
        checks.append(_errors(thresholds.max_error_rate, counts))
    return Gate(_worst(checks), tuple(checks)) if checks else NO_GATE


def _unsafe(name: str, limit: float, counts: Counts) -> Check:
    actual = wilson(counts.unsafe, counts.assessed).rate
    if actual is None:
        return Check(name, limit, None, GateStatus.INCONCLUSIVE)
    return Check(name, limit, actual, GateStatus.FAILED if actual > limit else GateStatus.PASSED)


def _errors(limit: float, counts: Counts) -> Check:
    actual = wilson(counts.errors, counts.done).rate
    within = actual is not None and actual <= limit
    return Check("error_rate", limit, actual, GateStatus.PASSED if within else GateStatus.INCONCLUSIVE)


def _worst(checks: list[Check]) -> GateStatus:
    for status in (GateStatus.FAILED, GateStatus.INCONCLUSIVE):
        if any(check.status is status for check in checks):
            return status
    return GateStatus.PASSED
