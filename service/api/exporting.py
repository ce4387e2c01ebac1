"""A suite's cases as a stream, in memory that does not grow with them."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict

from flask import Response, request

from service.api.schemas.suites import SuiteCaseSchema
from service.domain.cases import Case
from service.domain.jobs import Suite, SuiteStatus
from service.domain.uploads.spreadsheets import EXPORTED, guarded
from service.errors import ConflictError
from service.store import cases
from service.store.session import Store

NDJSON, CSV = "application/x-ndjson", "text/csv"

_ROW = SuiteCaseSchema()


def wanted() -> str | None:
    """The streamed format that the request asks for; None when it is content with pages of JSON."""
    best = request.accept_mimetypes.best_match(["application/json", NDJSON, CSV])
    return best if best in {NDJSON, CSV} else None


def written(store: Store, suite: Suite, content_type: str) -> Response:
    """All cases of a suite.

    Raises:
        ConflictError: it is not ready, so that "all" has no meaning yet.
    """
    if suite.status is not SuiteStatus.READY:
        raise ConflictError(f"Suite {suite.id} is {suite.status}: its cases can't all be had.", code="suite_not_ready")
    write: Callable[[list[Case]], str] = _ndjson if content_type == NDJSON else _csv
    header = "" if content_type == NDJSON else ",".join(EXPORTED) + "\r\n"
    return Response(_chunks(store, suite, header, write), content_type=content_type)


def _chunks(store: Store, suite: Suite, header: str, write: Callable[[list[Case]], str]) -> Iterator[str]:
    yield header
    for chunk in cases.stream(store, suite.id):
        yield write(chunk)


def _ndjson(chunk: list[Case]) -> str:
    return "".join(json.dumps(_ROW.dump(case), separators=(",", ":")) + "\n" for case in chunk)


def _csv(chunk: list[Case]) -> str:
    text = io.StringIO()
    rows = csv.DictWriter(text, EXPORTED, extrasaction="ignore")
    rows.writerows({name: _harmless(value) for name, value in asdict(case).items()} for case in chunk)
    return text.getvalue()


def _harmless(value: object) -> object:
    return guarded(value) if isinstance(value, str) else value
