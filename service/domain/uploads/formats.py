"""The two formats: each gives its rows with the lines they begin on."""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping

from service.domain.uploads.reading import MAX_LINE_BYTES, Readable, Rejected, Row, UnreadableUploadError, lines
from service.domain.uploads.spreadsheets import EXPORTED, unguarded

DELIMITERS = ",;\t"


def read_ndjson(file: Readable) -> Iterator[Row | Rejected]:
    """A JSON object a line; blank lines are passed over.

    Raises:
        UnreadableUploadError: a line is not UTF-8, or far too long.
    """
    for number, line in enumerate(lines(file), 1):
        if line.strip():
            yield _object(number, line)


def _object(number: int, line: str) -> Row | Rejected:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return Rejected(number, "It is not valid JSON.")
    return Row(number, value) if isinstance(value, Mapping) else Rejected(number, "It is not a JSON object.")


def read_csv(file: Readable, needed: str) -> Iterator[Row | Rejected]:
    """Rows under a header, separated by commas, semicolons or tabs; the header, which has `needed`, tells which.

    From a suite that was exported, what kept spreadsheets from running its cells is taken off.

    Raises:
        UnreadableUploadError: there is no such header, a line is not UTF-8 or far too long, a quote is not closed, or
            lines end in CR alone.
    """
    csv.field_size_limit(MAX_LINE_BYTES)
    text = _Counted(lines(file))
    header_line = next(text, "")
    delimiter = max(DELIMITERS, key=header_line.count)
    header = _header(header_line, delimiter)
    if needed not in header or len(set(header)) < len(header):
        named = f"The first line must name the columns, each once, and among them {needed!r}."
        raise UnreadableUploadError(1, named)
    read = unguarded if tuple(header) == EXPORTED else str
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    while True:
        began = text.begin_row()
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise UnreadableUploadError(began, f"{error}; is a quotation mark not closed?") from None
        if cells is None:
            return
        if any(cell.strip() for cell in cells):
            yield _row(began, header, [read(cell) for cell in cells])


def _header(line: str, delimiter: str) -> list[str]:
    try:
        return [name.strip() for name in next(csv.reader([line], delimiter=delimiter), [])]
    except csv.Error:
        reason = "it holds a carriage return alone, which ends no line; save the file with LF or CRLF at line ends."
        raise UnreadableUploadError(1, reason) from None


def _row(line: int, header: list[str], cells: list[str]) -> Row | Rejected:
    if len(cells) != len(header):
        return Rejected(line, f"It has {len(cells)} cells where the header has {len(header)}.")
    return Row(line, {name: cell or None for name, cell in zip(header, cells, strict=True)})


class _Counted(Iterator[str]):
    """Lines, counted; those of one row are no longer together than one alone may be."""

    def __init__(self, source: Iterable[str]) -> None:
        self._source = iter(source)
        self._number = 0
        self._began = 1
        self._length = 0

    def begin_row(self) -> int:
        """Gives the number of the line on which the next row begins."""
        self._began, self._length = self._number + 1, 0
        return self._began

    def __next__(self) -> str:
        line = next(self._source)
        self._number += 1
        self._length += len(line)
        if self._length > MAX_LINE_BYTES:
            reason = f"the row is longer than {MAX_LINE_BYTES:,} characters; is a quotation mark not closed?"
            raise UnreadableUploadError(self._began, reason)
        return line
