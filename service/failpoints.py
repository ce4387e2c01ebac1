"""Named places at which a test can kill, stop or fail the process, exactly and repeatably.

Nothing happens at them unless PROOFHOUSE_FAILPOINTS is set, which only tests do:
`written=kill@3` kills the process when it comes to the place `written` for the third time, `call:17=kill` when it comes
to the place `call` with the detail 17; several are parted by commas. Actions: kill (SIGKILL), stop (SIGSTOP), raise
(FailpointError).
"""

import os
import re
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
    armed = dict(_read(item) for item in specification.split(",") if item)
    _armed.clear()
    _armed.update(armed)


def _read(item: str) -> tuple[str, _Armed]:
    readable = re.fullmatch(r"(?P<name>[^=@]+)=(?P<action>kill|stop|raise)(?:@(?P<count>[1-9][0-9]*))?", item)
    if readable is None:
        raise ValueError(f"PROOFHOUSE_FAILPOINTS: {item!r} is not NAME=kill|stop|raise[@N]")
    return readable["name"], _Armed(readable["action"], int(readable["count"] or 1))


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
