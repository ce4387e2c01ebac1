import logging
from collections.abc import Callable

import pytest
from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError

from service.store import patience
from service.store.patience import patient


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Time:
    time = Time()
    monkeypatch.setattr(patience, "time", time)
    return time


def away(kind: type[OperationalError] | type[InterfaceError] = OperationalError) -> Exception:
    return kind("SELECT 1", {}, Exception("server closed the connection\n"))


def failing(times: int, error: Exception | None = None) -> Callable[[], int]:
    """Work that fails so many times, then gives how often it was tried."""
    tried = 0

    def work() -> int:
        nonlocal tried
        tried += 1
        if tried <= times:
            raise error or away()
        return tried

    return patient(work)


@pytest.mark.parametrize("kind", [OperationalError, InterfaceError])
def test_work_is_done_again_until_the_database_takes_it(
    kind: type[OperationalError] | type[InterfaceError],
) -> None:
    assert failing(5, away(kind))() == 6


def test_work_that_succeeds_is_done_once_and_without_a_wait(clock: Time) -> None:
    assert failing(0)() == 1
    assert clock.slept == []


def test_waits_grow_up_to_two_seconds(clock: Time) -> None:
    failing(7)()
    assert clock.slept == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0])


def test_patience_ends_before_its_time_is_over(clock: Time) -> None:
    with pytest.raises(OperationalError):
        failing(1000)()
    assert patience.SECONDS - 2 <= sum(clock.slept) <= patience.SECONDS


def test_every_piece_of_work_has_all_the_patience() -> None:
    work = failing(60)
    assert work() == 61
    assert work() == 62


@pytest.mark.parametrize("error", [IntegrityError("INSERT", {}, Exception("twice")), ZeroDivisionError()])
def test_another_error_passes_at_once(clock: Time, error: Exception) -> None:
    with pytest.raises(type(error)):
        failing(1, error)()
    assert clock.slept == []


def test_each_failure_is_logged_in_one_line_with_the_databases_own_words(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        failing(2)()
    assert caplog.messages == ["the database is away, trying again: server closed the connection"] * 2


def test_arguments_and_the_name_are_passed_on() -> None:
    @patient
    def work(first: int, *, second: int) -> tuple[int, int]:
        return first, second

    assert (work(1, second=2), work.__name__) == ((1, 2), "work")
