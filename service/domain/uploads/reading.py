"""An upload as lines of text, and what may be wrong with it as a whole or with one row of it."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

MAX_LINE_BYTES = 1024 * 1024
"""No row is longer; a file without line ends would otherwise be read as one."""
BOM = b"\xef\xbb\xbf"


class UnreadableUploadError(ValueError):
    """The upload can't be read on from a line: what comes after it means nothing."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"Line {line}: {reason}")
        self.line = line
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Row:
    """One row by column name, and the line it begins on, counting from 1."""

    line: int
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that holds no case, and why."""

    line: int
    reason: str


MOST_SHOWN = 100


@dataclass(slots=True)
class Leavings:
    """What of an upload did not come into the suite."""

    rejected: int = 0
    """Rows that hold no case."""
    duplicates: int = 0
    """Rows left out because an earlier one has the same prompt."""
    first: list[dict[str, Any]] = field(default_factory=list)
    """The first rejected rows: `line` and `reason`."""

    def reject(self, row: Rejected) -> None:
        """Count a rejected row."""
        self.rejected += 1
        if len(self.first) < MOST_SHOWN:
            self.first.append(asdict(row))


class Readable(Protocol):
    """A file opened in binary."""

    def readline(self, limit: int, /) -> bytes:
        """The next line with its end, or as much of it as `limit` allows; b"" at the end of the file."""
        ...


def lines(file: Readable) -> Iterator[str]:
    """The lines of a UTF-8 file, with or without a byte order mark, their ends kept.

    Raises:
        UnreadableUploadError: a line is not UTF-8, or far too long.
    """
    number = 0
    while line := file.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(line) > MAX_LINE_BYTES:
            raise UnreadableUploadError(number, f"it is longer than {MAX_LINE_BYTES:,} bytes.")
        try:
            yield (line.removeprefix(BOM) if number == 1 else line).decode()
        except UnicodeDecodeError:
            raise UnreadableUploadError(number, "it is not UTF-8; save the file in that encoding.") from None
