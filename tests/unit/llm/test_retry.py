import asyncio
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.llm.errors import PROBLEMS
from service.llm.failures import CallFailedError
from service.llm.retry import Retry


def failing(*failures: CallFailedError) -> Iterator[CallFailedError | str]:
    yield from failures
    yield "answer"


def attempts_of(retry: Retry, *failures: CallFailedError) -> tuple[str, list[CallFailedError]]:
    """Run against that sequence of failures; what came of it, and what was heard of on the way."""
    outcomes, heard = failing(*failures), []

    async def attempt() -> str:
        outcome = next(outcomes)
        if isinstance(outcome, CallFailedError):
            raise outcome
        return outcome

    return asyncio.run(retry.run(attempt, heard.append)), heard


def recording(naps: list[float], **options: float) -> Retry:
    async def sleep(seconds: float) -> None:
        naps.append(seconds)

    return Retry(max_attempts=5, sleep=sleep, draw=lambda: 1.0, **options)


def failed(name: str, retry_after: float | None = None) -> CallFailedError:
    return CallFailedError(PROBLEMS[name], retry_after=retry_after)


def test_waits_grow_twofold_to_the_cap() -> None:
    naps: list[float] = []
    answer, heard = attempts_of(recording(naps, cap=3.0), *[failed("server_error")] * 4)
    assert (answer, len(heard), naps) == ("answer", 4, [0.5, 1.0, 2.0, 3.0])


def test_the_server_s_word_goes_before_the_backoff_and_is_capped() -> None:
    naps: list[float] = []
    attempts_of(
        recording(naps), failed("rate_limited", 7.0), failed("rate_limited", 3600.0), failed("rate_limited", 0.0)
    )
    assert naps == [7.5, 60.5, 0.5]


@pytest.mark.parametrize("name", [name for name, problem in PROBLEMS.items() if not problem.retry])
def test_what_cannot_get_better_is_not_tried_again(name: str) -> None:
    naps: list[float] = []
    with pytest.raises(CallFailedError):
        attempts_of(recording(naps), failed(name))
    assert naps == []


def test_gives_up_after_max_attempts_with_the_last_failure() -> None:
    naps: list[float] = []
    last = failed("timeout")
    with pytest.raises(CallFailedError) as raised:
        attempts_of(recording(naps), *[failed("server_error")] * 4, last)
    assert raised.value is last
    assert len(naps) == 4


@given(st.integers(1, 10), st.floats(0, 1), st.none() | st.floats(0, 1e9))
def test_no_wait_is_negative_or_beyond_the_caps(attempt: int, drawn: float, retry_after: float | None) -> None:
    assert 0 <= Retry(10, draw=lambda: drawn).wait(attempt, retry_after) <= 60.5
