"""How often the tests do what they repeat at random: enough for a desk, or as often as continuous integration does."""

import os

THOROUGH = os.environ.get("PROOFHOUSE_THOROUGH") == "1"
"""Whether requests, orders of events and moments of a death are drawn in the numbers that `.ci/run` asks for."""


def times(desk: int, thorough: int) -> int:
    """How often, at a desk or where it must be thorough."""
    return thorough if THOROUGH else desk
