"""Results of a job: in pages, or all of them as a stream."""

import json
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Any

from flask import Response, request
from flask.views import MethodView

from service.api import cursors
from service.api.auth import needs
from service.api.blueprint import Blueprint
from service.api.context import current_tenant, services
from service.api.judged import chosen
from service.api.schemas.results import ResultPageSchema, ResultQuerySchema, ResultSchema
from service.domain.jobs import Job, Result
from service.domain.roles import Role
from service.store import jobs, results
from service.store.paging import grouped

NDJSON = "application/x-ndjson"
LINES = 100
"""Most lines sent at once: a system call for each would take longer than making it."""

blueprint = Blueprint("results", __name__, url_prefix="/v1/jobs", description="What came of each case.")

_ROW = ResultSchema()


@blueprint.route("/<job:job_id>/results")
class Results(MethodView):
    """The results of one job."""

    @needs(Role.READER)
    @blueprint.arguments(ResultQuerySchema, location="query")
    @blueprint.response(200, ResultPageSchema)
    @blueprint.alt_response(
        200, content_type=NDJSON, schema={"type": "string", "description": "A result as JSON on each line."}
    )
    @blueprint.problems(404)
    @blueprint.doc(operationId="results_list")
    def get(self, query: dict[str, Any], job_id: str) -> dict[str, Any] | Response:
        """List a job's results in the order of the suite.

        A page holds fewer than `limit` where texts are long: only a `next_cursor` of null says that it is the last.
        With `judgement`, verdicts (and the filter by verdict) are those of that judgement; the rest is the job's.
        With `Accept: application/x-ndjson`, all that match are streamed, one JSON object a line; `limit` and `cursor`
        are of no consequence then. A stream that breaks off ends without its last chunk, which HTTP clients notice.
        """
        with services().store.read() as session:
            job = jobs.get(session, current_tenant(), job_id)
            job = chosen(session, job, query.pop("judgement"))
        return _stream(job, query["which"]) if _wants_stream() else _page(job, **query)


def _page(job: Job, which: results.ResultFilter, after: tuple[int, int] | None, limit: int) -> dict[str, Any]:
    with services().store.read() as session:
        found = results.page(session, job, which, after=after, limit=limit)
    last = found.rows[-1] if found.more else None
    cursor = cursors.encode("results", last.repeat, last.case.index) if last else None
    return {"data": found.rows, "next_cursor": cursor}


def _wants_stream() -> bool:
    return request.accept_mimetypes.best_match(["application/json", NDJSON]) == NDJSON


def _stream(job: Job, which: results.ResultFilter) -> Response:
    found = results.stream(services().store, job, which)
    # The first is read before anything is sent, so that a database out of reach is still answered with 503.
    first = list(islice(found, 1))
    return Response(_lines(chain(first, found)), content_type=NDJSON)


def _lines(found: Iterable[Result]) -> Iterator[str]:
    lines = (json.dumps(_ROW.dump(result), separators=(",", ":")) + "\n" for result in found)
    return map("".join, grouped(lines, len, LINES))
