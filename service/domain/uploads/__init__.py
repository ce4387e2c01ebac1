"""Reading cases from files that people have at hand: CSV and JSON lines."""

from service.domain.uploads.formats import read_csv, read_ndjson
from service.domain.uploads.reading import Leavings, Readable, Rejected, Row, UnreadableUploadError
from service.domain.uploads.rows import Columns, case_of

__all__ = [
    "Columns",
    "Leavings",
    "Readable",
    "Rejected",
    "Row",
    "UnreadableUploadError",
    "case_of",
    "read_csv",
    "read_ndjson",
]
