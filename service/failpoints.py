"""Named places at which a test can kill, stop or fail the process, exactly and repeatably.

Nothing happens at them unless PROOFHOUSE_FAILPOINTS is set, which only tests do:
`written=kill@3` kills the process when it comes to the place `written` for the third time, `call:17=kill` when it comes
to the place `call` with the detail 17; several are parted by commas. Actions: kill (SIGKILL), stop (SIGSTOP), raise
(FailpointError).
"""

import os
import signal
from dataclasses import dataclass


class FailpointError(Exception):
    """Raised at a place armed with `raise`."""


@dataclass(slots=True)
class _Armed:
    action: str
    countdown: int


_armed: dict[str, _Armed] = {}


def arm(specification: str) -> None:
    """Arm the places that a specification names, and no others.

    Raises:
        ValueError: it can't be read.
    """
    _armed.clear()
    for item in filter(None, specification.split(",")):
        name, _, action = item.partition("=")
        action, _, count = action.partition("@")
        if action not in {"kill", "stop", "raise"}:
            raise ValueError(f"PROOFHOUSE_FAILPOINTS: {item!r} is not NAME=kill|stop|raise[@N]")
        _armed[name] = _Armed(action, int(count or 1))


def failpoint(name: str, detail: object = None) -> None:
    """A place with a name."""
    if _armed:
        for place in (name, f"{name}:{detail}"):
            _come_to(place)


def _come_to(place: str) -> None:
    armed = _armed.get(place)
    if armed is None:
        return
    armed.countdown -= 1
    if armed.countdown:
        return
    if armed.action == "raise":
        raise FailpointError(place)
    os.kill(os.getpid(), signal.SIGKILL if armed.action == "kill" else signal.SIGSTOP)
