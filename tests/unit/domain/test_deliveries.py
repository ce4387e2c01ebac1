from pathlib import Path

import pytest

from service.domain.deliveries import (
    MAX_ATTEMPTS,
    MAX_RETRY_AFTER,
    WAITS,
    Answer,
    AttemptResult,
    DeliveryError,
    DeliveryState,
    result_of,
    wait_after,
)

PAGE = (Path(__file__).parents[3] / "docs" / "webhooks.md").read_text()
HOUR = 3600.0
LEAST, MOST = 0.0, 1.0


def waits(draw: float) -> list[float]:
    return [wait_after(attempt, None, draw) for attempt in range(1, MAX_ATTEMPTS)]


def test_eight_attempts_are_spread_over_about_a_day_ever_further_apart() -> None:
    assert MAX_ATTEMPTS == 8
    assert waits(LEAST) == sorted(set(waits(LEAST)))
    assert 24 * HOUR <= sum(waits(LEAST)) < sum(waits(MOST)) <= 32 * HOUR


def test_what_failed_together_does_not_come_back_together() -> None:
    assert wait_after(2, None, LEAST) < wait_after(2, None, 0.5) < wait_after(2, None, MOST)


def test_a_receiver_can_put_the_next_attempt_off_but_not_bring_it_forward() -> None:
    assert wait_after(1, 600.0, LEAST) == 600.0
    assert wait_after(3, 1.0, LEAST) == wait_after(3, None, LEAST)
    assert wait_after(1, 10**9, LEAST) == MAX_RETRY_AFTER


@pytest.mark.parametrize(
    ("answer", "attempt", "result", "state"),
    [
        (Answer(204), 1, AttemptResult.DELIVERED, DeliveryState.DELIVERED),
        (Answer(500, DeliveryError.STATUS), 7, AttemptResult.RETRIED, DeliveryState.WAITING),
        (Answer(500, DeliveryError.STATUS), 8, AttemptResult.GIVEN_UP, DeliveryState.GIVEN_UP),
        (Answer(200), 8, AttemptResult.DELIVERED, DeliveryState.DELIVERED),
        (Answer(error=DeliveryError.TIMEOUT), 1, AttemptResult.RETRIED, DeliveryState.WAITING),
        (Answer(error=DeliveryError.WORKER_LOST), 9, AttemptResult.GIVEN_UP, DeliveryState.GIVEN_UP),
        (Answer(error=DeliveryError.ADDRESS_REFUSED), 1, AttemptResult.GIVEN_UP, DeliveryState.GIVEN_UP),
        (Answer(410, DeliveryError.GONE), 1, AttemptResult.GONE, DeliveryState.GIVEN_UP),
    ],
)
def test_what_comes_of_an_attempt(answer: Answer, attempt: int, result: AttemptResult, state: DeliveryState) -> None:
    assert result_of(answer, attempt) is result
    assert result.state is state


@pytest.mark.parametrize("error", DeliveryError)
def test_every_error_says_what_it_means(error: DeliveryError) -> None:
    assert error.message.endswith(".")


@pytest.mark.parametrize("word", [*DeliveryError, *DeliveryState])
def test_the_page_has_a_line_for_every_error_and_state(word: str) -> None:
    assert f"\n| `{word}` | " in PAGE


def test_the_page_says_when_attempts_are_made() -> None:
    assert [wait / 60 for wait in WAITS[1:3]] + [wait / HOUR for wait in WAITS[3:]] == [5, 30, 2, 5, 8, 10]
    assert f"after {WAITS[0]:g} seconds, 5 and 30 minutes, 2, 5, 8 and 10 hours" in PAGE
