import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from service.failpoints import FailpointError, arm, failpoint


@pytest.fixture(autouse=True)
def _disarmed_afterwards() -> Iterator[None]:
    yield
    arm("")


def status_of_a_process(specification: str) -> int:
    """Come to the place `here` in a process of its own; gives what it came to, as os.waitpid tells it."""
    script = f"from service.failpoints import arm, failpoint\narm({specification!r})\nfailpoint('here')"
    process = subprocess.Popen([sys.executable, "-c", script])  # noqa: S603
    _, status = os.waitpid(process.pid, os.WUNTRACED)
    if os.WIFSTOPPED(status):
        process.kill()
        process.wait()
    else:
        process.returncode = os.waitstatus_to_exitcode(status)
    return status


def test_nothing_happens_while_nothing_is_armed() -> None:
    failpoint("here")


def test_an_armed_place_raises_with_its_name() -> None:
    arm("here=raise")
    with pytest.raises(FailpointError, match=r"^here$"):
        failpoint("here")


def test_other_places_are_left_alone() -> None:
    arm("here=raise")
    failpoint("there", "here")


def test_a_place_raises_when_come_to_that_many_times() -> None:
    arm("here=raise@3")
    failpoint("here")
    failpoint("here")
    with pytest.raises(FailpointError):
        failpoint("here")


def test_a_place_raises_once() -> None:
    arm("here=raise")
    with pytest.raises(FailpointError):
        failpoint("here")
    failpoint("here")


def test_a_place_with_a_detail_raises_at_that_detail() -> None:
    arm("call:17=raise")
    failpoint("call", 16)
    with pytest.raises(FailpointError, match=r"^call:17$"):
        failpoint("call", 17)


def test_a_place_armed_without_a_detail_raises_at_any() -> None:
    arm("call=raise")
    with pytest.raises(FailpointError, match=r"^call$"):
        failpoint("call", 17)


def test_several_places_are_counted_apart() -> None:
    arm("here=raise@2,there=raise")
    failpoint("here")
    with pytest.raises(FailpointError, match=r"^there$"):
        failpoint("there")
    with pytest.raises(FailpointError, match=r"^here$"):
        failpoint("here")


def test_arming_disarms_what_was_armed_before() -> None:
    arm("here=raise")
    arm("there=raise")
    failpoint("here")


@pytest.mark.parametrize(("action", "number"), [("kill", signal.SIGKILL), ("stop", signal.SIGSTOP)])
def test_a_process_is_ended_or_halted_by_the_signal(action: str, number: signal.Signals) -> None:
    status = status_of_a_process(f"here={action}")
    came = os.WSTOPSIG(status) if os.WIFSTOPPED(status) else os.WTERMSIG(status)
    assert came == number


@pytest.mark.parametrize("wrong", ["here", "here=", "here=die", "=", "here=kill=2", "here=raise,there"])
def test_what_cannot_be_read_is_refused_with_its_form(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"PROOFHOUSE_FAILPOINTS: .* is not NAME=kill\|stop\|raise\[@N\]"):
        arm(wrong)


@pytest.mark.parametrize("count", ["x", "0", "-1", "1.5"])
def test_a_count_that_never_comes_is_refused_with_the_form(count: str) -> None:
    with pytest.raises(ValueError, match="PROOFHOUSE_FAILPOINTS"):
        arm(f"here=kill@{count}")


def test_a_specification_that_cannot_be_read_arms_nothing() -> None:
    with pytest.raises(ValueError, match="PROOFHOUSE_FAILPOINTS"):
        arm("here=raise,there")
    failpoint("here")
