"""docs/errors.md is written by hand around tables that must say what the code does."""

from pathlib import Path

import pytest

from service.domain.completions import ErrorCode
from service.llm.bodies import BLOCK_CODES
from service.llm.errors import PROBLEMS, PROVIDER_CODES, STATUSES, Problem
from service.llm.replies import BLOCK_REASONS

PAGE = (Path(__file__).parents[3] / "docs" / "errors.md").read_text()


def row(problem: Problem) -> str:
    """The problem as a row of the page's first table."""
    advice = problem.advice.format(role="target")
    return (
        f"| `{problem.code.value}` | {problem.when} | {'yes' if problem.retry else 'no'} "
        f"| {'yes' if problem.stops_job else 'no'} | {advice} |"
    )


def test_the_page_shows_the_table_row_by_row_in_order() -> None:
    rows = [row(problem) for problem in PROBLEMS.values()]
    start = PAGE.index(rows[0])
    shown = PAGE[start : PAGE.index("\n\n", start)].splitlines()
    assert shown == rows


@pytest.mark.parametrize("code", ErrorCode)
def test_the_page_explains_every_code(code: ErrorCode) -> None:
    assert f"`{code.value}`" in PAGE


@pytest.mark.parametrize("word", sorted({*PROVIDER_CODES, *BLOCK_CODES, *BLOCK_REASONS}))
def test_the_page_lists_every_word_of_the_providers(word: str) -> None:
    assert f"`{word}`" in PAGE


def test_every_row_can_be_reached() -> None:
    from_transport = {"timeout", "unreachable", "cut_off", "certificate", "malformed", "too_large", "address_refused"}
    from_reading = {"malformed", "no_moderation"}
    by_hundred = {"redirect", "bad_request", "server_error"}
    assert {*STATUSES.values(), *PROVIDER_CODES.values(), *from_transport, *from_reading, *by_hundred} == set(PROBLEMS)
