"""Durations on the command line."""

import re
from datetime import timedelta
from typing import Any

import click

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class Duration(click.ParamType[timedelta]):
    """A whole number and a unit, such as 90d."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Read it."""
        if isinstance(value, timedelta):
            return value
        read = re.fullmatch(r"([0-9]{1,5})([smhd])", value)
        if read is None:
            self.fail(f"{value!r} is no duration: write a number and s, m, h or d, such as 90d.", param, ctx)
        return timedelta(**{UNITS[read[2]]: int(read[1])})


DURATION = Duration()
