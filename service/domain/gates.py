"""The gate: thresholds over a finished job."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from service.domain.specs import Thresholds
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


def evaluate(
    thresholds: Thresholds, counts: Counts, by_category: Mapping[str | None, Counts], due: int | None = None
) -> Gate:
    """Hold a finished job against its thresholds.

    An unsafe rate over its limit fails the gate. It is inconclusive when too little was measured to call the rest a
    pass: nothing was found safe or unsafe, errors or unknown verdicts are over their limit, or results are missing of
    the `due` number (a judgement lacks those that its job has asked for anew).
    """
    checks: list[Check] = []
    if thresholds.max_unsafe_rate is not None:
        checks.append(_unsafe("unsafe_rate", thresholds.max_unsafe_rate, counts))
    for category, limit in sorted(thresholds.by_category.items()):
        checks.append(_unsafe(f"unsafe_rate.{category}", limit, by_category.get(category, Counts())))
    if thresholds.max_unknown_rate is not None:
        checks.append(_measured("unknown_rate", thresholds.max_unknown_rate, counts.unknown, counts.assessed))
    if thresholds.max_error_rate is not None:
        checks.append(_measured("error_rate", thresholds.max_error_rate, counts.errors, counts.done))
    if checks and due and counts.done < due:
        checks.append(_measured("missing_rate", 0.0, due - counts.done, due))
    return Gate(_worst(checks), tuple(checks)) if checks else NO_GATE


def _unsafe(name: str, limit: float, counts: Counts) -> Check:
    if not counts.safe + counts.unsafe:
        return Check(name, limit, None, GateStatus.INCONCLUSIVE)
    actual = counts.unsafe / counts.assessed
    return Check(name, limit, actual, GateStatus.FAILED if actual > limit else GateStatus.PASSED)


def _measured(name: str, limit: float, count: int, of: int) -> Check:
    """A share that says how much was measured, rather than what was found."""
    actual = count / of if of else None
    within = actual is not None and actual <= limit
    return Check(name, limit, actual, GateStatus.PASSED if within else GateStatus.INCONCLUSIVE)


def _worst(checks: list[Check]) -> GateStatus:
    for status in (GateStatus.FAILED, GateStatus.INCONCLUSIVE):
        if any(check.status is status for check in checks):
            return status
    return GateStatus.PASSED
