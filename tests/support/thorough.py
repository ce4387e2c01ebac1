"""How often the tests do what they repeat at random: enough for a desk, or as often as continuous integration does."""

import os

import pytest

THOROUGH = os.environ.get("PROOFHOUSE_THOROUGH") == "1"
"""Whether requests, orders of events and moments of a death are drawn in the numbers that `.ci/run` asks for."""


def times(desk: int, thorough: int) -> int:
    """How often, at a desk or where it must be thorough."""
    return thorough if THOROUGH else desk


in_depth = pytest.mark.skipif(
    not THOROUGH, reason="slow: run with PROOFHOUSE_THOROUGH=1, as continuous integration does"
)
"""For slow tests, and values of theirs, that are of use to who can wait: `.ci/run` runs them all."""
