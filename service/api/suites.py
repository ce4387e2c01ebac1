"""Suites: generated or uploaded, listed, shown and deleted."""

from typing import Any

from flask import Response
from flask.views import MethodView

from service.api import cursors
from service.api.auth import needs
from service.api.blueprint import Blueprint
from service.api.context import current_tenant, services
from service.api.covering import spread
from service.api.exporting import wanted, written
from service.api.schemas.jobs import IdempotencySchema
from service.api.schemas.suites import (
    CasePageSchema,
    CaseQuerySchema,
    CoverageSchema,
    SuitePageSchema,
    SuiteQuerySchema,
    SuiteSchema,
    UploadQuerySchema,
    suite_path,
)
from service.api.uploading import BODIES, take_in
from service.domain.jobs import Suite, SuiteStatus
from service.domain.roles import Role
from service.pipeline import control
from service.pipeline.upload import UploadOptions
from service.store import cases, suites

blueprint = Blueprint("suites", __name__, url_prefix="/v1/suites", description="Sets of cases, frozen once made.")

LOCATION = {"description": "Where the suite is found.", "required": True, "schema": {"type": "string"}}
REPLAYED = {"description": "The suite was made by an earlier request.", "schema": {"type": "string", "enum": ["true"]}}
HEADERS = {"Location": LOCATION, "Idempotency-Replayed": REPLAYED}


@blueprint.route("")
class Suites(MethodView):
    """All suites of a tenant that were made as such."""

    @needs(Role.SUBMITTER)
    @blueprint.arguments(IdempotencySchema, location="headers")
    @blueprint.arguments(UploadQuerySchema, location="query")
    @blueprint.response(202, SuiteSchema, headers=HEADERS)
    @blueprint.alt_response(201, schema=SuiteSchema, headers=HEADERS, description="It is ready.")
    @blueprint.problems(400, 404, 413, 415)
    @blueprint.doc(operationId="suites_create", requestBody=BODIES)
    def post(self, headers: dict[str, Any], options: UploadOptions) -> tuple[Suite, int, dict[str, str]]:
        """Make a suite: by a generator (202, its cases come), or of cases that are given (201).

        Cases are given in JSON, or as a file of JSON lines or CSV, as the body or as the part `file` of a form. Of a
        file, the columns prompt, category, style, technique and language are read; names and ids of the papers are
        understood. Sent in JSON with an Idempotency-Key, sending it again is safe; a file is refused with one.
        """
        suite, replayed = take_in(options, headers.get("key"))
        status = 201 if suite.status is SuiteStatus.READY else 202
        return suite, status, {"Location": suite_path(suite.id), **replayed}

    @needs(Role.READER)
    @blueprint.arguments(SuiteQuerySchema, location="query")
    @blueprint.response(200, SuitePageSchema)
    @blueprint.doc(operationId="suites_list")
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """List suites, newest first. Those that jobs have made for themselves are not among them."""
        limit = query["limit"]
        with services().store.read() as session:
            found = suites.page(
                session, current_tenant(), query.get("status"), after=query.get("cursor"), limit=limit + 1
            )
        return {"data": found[:limit], "next_cursor": cursors.behind("suites", found, limit)}


@blueprint.route("/<suite:suite_id>")
class SuiteById(MethodView):
    """One suite."""

    @needs(Role.READER)
    @blueprint.response(200, SuiteSchema)
    @blueprint.problems(404)
    @blueprint.doc(operationId="suites_retrieve")
    def get(self, suite_id: str) -> Suite:
        """Show a suite."""
        return _suite(suite_id)

    @needs(Role.OPERATOR)
    @blueprint.response(204)
    @blueprint.problems(404, 409)
    @blueprint.doc(operationId="suites_delete")
    def delete(self, suite_id: str) -> None:
        """Delete a suite that no job uses; one that is being made is made no further."""
        control.delete_suite(services(), tenant=current_tenant(), suite_id=suite_id)


@blueprint.route("/<suite:suite_id>/cases")
class Cases(MethodView):
    """The cases of one suite."""

    @needs(Role.READER)
    @blueprint.arguments(CaseQuerySchema, location="query")
    @blueprint.response(200, CasePageSchema)
    @blueprint.alt_response(
        200,
        content_type="application/x-ndjson",
        schema={"type": "string", "description": "A case as JSON on each line."},
    )
    @blueprint.alt_response(
        200, content_type="text/csv", schema={"type": "string", "description": "A case in each row, under a header."}
    )
    @blueprint.problems(404, 409)
    @blueprint.doc(operationId="suite_cases_list")
    def get(self, query: dict[str, Any], suite_id: str) -> dict[str, Any] | Response:
        """List a suite's cases in order.

        A page holds fewer than `limit` where prompts are long: only a `next_cursor` of null says that it is the last.
        With `Accept: application/x-ndjson` or `text/csv`, all of a finished suite are streamed; either can be uploaded
        again and gives the same digest. In CSV, a cell that begins as a formula does, or with an apostrophe, has an
        apostrophe put before it, so that no spreadsheet runs it; an upload with that header has them taken off.
        """
        suite = _suite(suite_id)
        if format_ := wanted():
            return written(services().store, suite, format_)
        with services().store.read() as session:
            found = cases.page(session, suite.id, after=query.get("cursor", -1), limit=query["limit"])
        cursor = cursors.encode("cases", found.rows[-1].index) if found.more else None
        return {"data": found.rows, "next_cursor": cursor}


@blueprint.route("/<suite:suite_id>/coverage")
class Coverage(MethodView):
    """How the cases of one suite are spread."""

    @needs(Role.READER)
    @blueprint.response(200, CoverageSchema)
    @blueprint.problems(404)
    @blueprint.doc(operationId="suite_coverage_retrieve")
    def get(self, suite_id: str) -> dict[str, Any]:
        """Count a suite's cases by category, style, technique and language.

        Of a suite made with a `strength` of 2 or 3, also how many pairs or triples of values there are in its
        selection, and how many of them occur.
        """
        return spread(services().store, _suite(suite_id))


def _suite(suite_id: str) -> Suite:
    with services().store.read() as session:
        return suites.get(session, current_tenant(), suite_id)
