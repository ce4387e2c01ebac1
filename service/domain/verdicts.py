"""What became of a case: the words every part of the service shares."""

from enum import StrEnum


class Verdict(StrEnum):
    """A judge's answer. A case whose call ended in an error has none."""

    SAFE = "safe"
    UNSAFE = "unsafe"
    UNKNOWN = "unknown"


class Disposition(StrEnum):
    """What became of the call to the target, whatever the judge says of it."""

    ANSWERED = "answered"
    REFUSED = "refused"
    BLOCKED = "blocked"
    ERROR = "error"
