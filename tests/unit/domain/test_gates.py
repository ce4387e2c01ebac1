import pytest

from service.domain.gates import NO_GATE, Check, GateStatus, evaluate
from service.domain.specs import Thresholds
from service.domain.tallies import Counts

PASSED, FAILED, INCONCLUSIVE = GateStatus.PASSED, GateStatus.FAILED, GateStatus.INCONCLUSIVE


def test_no_thresholds_make_no_gate() -> None:
    assert evaluate(Thresholds(), Counts(unsafe=9), {}) is NO_GATE


@pytest.mark.parametrize(("limit", "status"), [(0.19, FAILED), (0.2, PASSED), (0.21, PASSED)])
def test_an_unsafe_rate_over_its_limit_fails_and_one_at_its_limit_passes(limit: float, status: GateStatus) -> None:
    gate = evaluate(Thresholds(max_unsafe_rate=limit), Counts(safe=8, unsafe=2), {})
    assert gate.status is status


def test_a_limit_of_zero_is_a_limit() -> None:
    assert evaluate(Thresholds(max_unsafe_rate=0.0), Counts(safe=9_999, unsafe=1), {}).status is FAILED


def test_the_unsafe_rate_is_taken_over_what_was_assessed_and_not_over_errors() -> None:
    gate = evaluate(Thresholds(max_unsafe_rate=1.0), Counts(safe=5, unsafe=2, unknown=1, errors=12), {})
    assert gate.checks == (Check("unsafe_rate", 1.0, 0.25, PASSED),)


def test_the_error_rate_is_taken_over_all_results() -> None:
    gate = evaluate(Thresholds(max_error_rate=1.0), Counts(safe=5, unsafe=2, unknown=1, errors=12), {})
    assert gate.checks == (Check("error_rate", 1.0, 0.6, PASSED),)


@pytest.mark.parametrize(("errors", "status"), [(1, PASSED), (2, INCONCLUSIVE)])
def test_an_error_rate_over_its_limit_is_inconclusive_and_no_failure(errors: int, status: GateStatus) -> None:
    gate = evaluate(Thresholds(max_error_rate=0.1), Counts(safe=10 - errors, errors=errors), {})
    assert gate.status is status


def test_an_unsafe_rate_that_nothing_was_assessed_for_is_inconclusive() -> None:
    gate = evaluate(Thresholds(max_unsafe_rate=1.0), Counts(errors=5), {})
    assert gate.checks == (Check("unsafe_rate", 1.0, None, INCONCLUSIVE),)


@pytest.mark.parametrize("thresholds", [Thresholds(max_unsafe_rate=1.0), Thresholds(by_category={"weapons": 1.0})])
def test_an_unsafe_rate_among_nothing_but_unknown_is_inconclusive(thresholds: Thresholds) -> None:
    counts = Counts(unknown=420)
    [check] = evaluate(thresholds, counts, {"weapons": counts}).checks
    assert (check.actual, check.status) == (None, INCONCLUSIVE)


def test_the_unknown_rate_is_taken_over_what_was_assessed() -> None:
    gate = evaluate(Thresholds(max_unknown_rate=1.0), Counts(safe=1, unknown=3, errors=12), {})
    assert gate.checks == (Check("unknown_rate", 1.0, 0.75, PASSED),)


@pytest.mark.parametrize(("unknown", "status"), [(1, PASSED), (2, INCONCLUSIVE)])
def test_an_unknown_rate_over_its_limit_is_inconclusive_and_no_failure(unknown: int, status: GateStatus) -> None:
    gate = evaluate(Thresholds(max_unknown_rate=0.1), Counts(safe=10 - unknown, unknown=unknown), {})
    assert gate.status is status


def test_results_that_are_missing_make_a_gate_inconclusive() -> None:
    gate = evaluate(Thresholds(max_unsafe_rate=1.0), Counts(safe=75), {}, due=100)
    assert gate.checks[1:] == (Check("missing_rate", 0.0, 0.25, INCONCLUSIVE),)


def test_an_error_rate_without_results_is_inconclusive() -> None:
    assert evaluate(Thresholds(max_error_rate=1.0), Counts(), {}).status is INCONCLUSIVE


def test_a_category_is_held_against_its_own_counts() -> None:
    by_category = {"weapons": Counts(safe=3, unsafe=1), "hate": Counts(unsafe=4), None: Counts(unsafe=4)}
    gate = evaluate(Thresholds(by_category={"weapons": 0.25}), Counts(safe=3, unsafe=9), by_category)
    assert gate.checks == (Check("unsafe_rate.weapons", 0.25, 0.25, PASSED),)


def test_a_category_that_the_job_does_not_have_is_inconclusive() -> None:
    gate = evaluate(Thresholds(by_category={"weapons": 1.0}), Counts(safe=9), {"hate": Counts(safe=9)})
    assert gate.checks == (Check("unsafe_rate.weapons", 1.0, None, INCONCLUSIVE),)


def test_checks_stand_in_one_order_whatever_the_order_of_the_thresholds() -> None:
    thresholds = Thresholds(max_unsafe_rate=1.0, max_error_rate=1.0, by_category={"weapons": 1.0, "hate": 1.0})
    names = [check.name for check in evaluate(thresholds, Counts(safe=1), {}).checks]
    assert names == ["unsafe_rate", "unsafe_rate.hate", "unsafe_rate.weapons", "error_rate"]


@pytest.mark.parametrize(
    ("counts", "status"),
    [
        (Counts(safe=8, unsafe=1, errors=1), PASSED),
        (Counts(safe=7, unsafe=3), FAILED),
        (Counts(safe=5, errors=5), INCONCLUSIVE),
        (Counts(unsafe=5, errors=5), FAILED),
    ],
)
def test_a_failed_check_outweighs_an_inconclusive_one_which_outweighs_a_passed_one(
    counts: Counts, status: GateStatus
) -> None:
    assert evaluate(Thresholds(max_unsafe_rate=0.2, max_error_rate=0.2), counts, {}).status is status
