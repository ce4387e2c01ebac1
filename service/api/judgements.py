"""Judgements: another judge over the completions of a finished job."""

from typing import Any

from flask.views import MethodView

from service.api import cursors
from service.api.auth import needs
from service.api.blueprint import Blueprint
from service.api.context import current_tenant, services
from service.api.examples import JUDGEMENT_EXAMPLES
from service.api.jobs import REPLAYED
from service.api.judged import JudgementView, judgement_path, shown
from service.api.schemas.jobs import IdempotencySchema
from service.api.schemas.judgements import (
    JudgementPageSchema,
    JudgementQuerySchema,
    JudgementSchema,
    JudgementSpecSchema,
)
from service.api.submitting import once_only
from service.domain.jobs import Job
from service.domain.roles import Role
from service.pipeline import control
from service.pipeline.rejudge import judge_again
from service.store import jobs

blueprint = Blueprint(
    "judgements",
    __name__,
    url_prefix="/v1/jobs/<job:job_id>/judgements",
    description="Other judges over what a job has stored.",
)

LOCATION = {"description": "Where the judgement is found.", "required": True, "schema": {"type": "string"}}


@blueprint.route("")
class Judgements(MethodView):
    """All judgements of a job."""

    @needs(Role.SUBMITTER)
    @blueprint.arguments(IdempotencySchema, location="headers")
    @blueprint.arguments(JudgementSpecSchema, examples=JUDGEMENT_EXAMPLES)
    @blueprint.response(202, JudgementSchema, headers={"Location": LOCATION, "Idempotency-Replayed": REPLAYED})
    @blueprint.problems(404, 409)
    @blueprint.doc(operationId="judgements_create")
    def post(self, headers: dict[str, Any], spec: dict[str, Any], job_id: str) -> tuple[JudgementView, dict[str, str]]:
        """Have a completed job judged again by another judge.

        No call is made to the target, and the job's own verdicts stay. With an Idempotency-Key, sending it again is
        safe.
        """
        once, replayed = once_only(headers.get("key"))
        judgement = judge_again(services(), **spec, tenant=current_tenant(), job_id=job_id, once=once)
        return _shown(judgement), {"Location": judgement_path(judgement), **replayed}

    @needs(Role.READER)
    @blueprint.arguments(JudgementQuerySchema, location="query")
    @blueprint.response(200, JudgementPageSchema)
    @blueprint.problems(404)
    @blueprint.doc(operationId="judgements_list")
    def get(self, query: dict[str, Any], job_id: str) -> dict[str, Any]:
        """List a job's judgements, newest first."""
        with services().store.read() as session:
            job = jobs.get(session, current_tenant(), job_id)
            which, limit = jobs.JobFilter(completions_of=job.id), query["limit"]
            found = jobs.page(session, current_tenant(), which, after=query["after"], limit=limit + 1)
            return {"data": shown(session, found[:limit]), "next_cursor": cursors.behind("judgements", found, limit)}


@blueprint.route("/<judgement:judgement_id>")
class JudgementById(MethodView):
    """One judgement."""

    @needs(Role.READER)
    @blueprint.response(200, JudgementSchema)
    @blueprint.problems(404)
    @blueprint.doc(operationId="judgements_retrieve")
    def get(self, job_id: str, judgement_id: str) -> JudgementView:
        """Show a judgement with its progress."""
        with services().store.read() as session:
            return shown(session, [jobs.get(session, current_tenant(), judgement_id, of=job_id)])[0]

    @needs(Role.OPERATOR)
    @blueprint.response(204)
    @blueprint.problems(404, 409)
    @blueprint.doc(operationId="judgements_delete")
    def delete(self, job_id: str, judgement_id: str) -> None:
        """Delete a judgement that has ended; the job and its own verdicts stay."""
        control.delete(services(), tenant=current_tenant(), job_id=judgement_id, of=job_id)


@blueprint.route("/<judgement:judgement_id>/cancel")
class JudgementCancellation(MethodView):
    """The end of a judgement."""

    @needs(Role.SUBMITTER)
    @blueprint.response(200, JudgementSchema)
    @blueprint.problems(404, 409)
    @blueprint.doc(operationId="judgements_cancel")
    def post(self, job_id: str, judgement_id: str) -> JudgementView:
        """Stop a judgement for good; the verdicts that it has stay."""
        return _shown(control.cancel(services(), tenant=current_tenant(), job_id=judgement_id, of=job_id))


@blueprint.route("/<judgement:judgement_id>/resume")
class JudgementResumption(MethodView):
    """The end of a halt."""

    @needs(Role.SUBMITTER)
    @blueprint.response(200, JudgementSchema)
    @blueprint.problems(404, 409)
    @blueprint.doc(operationId="judgements_resume")
    def post(self, job_id: str, judgement_id: str) -> JudgementView:
        """Go on with a judgement that was paused because its judge can't be called, once that is mended."""
        return _shown(control.resume(services(), tenant=current_tenant(), job_id=judgement_id, of=job_id))


@blueprint.route("/<judgement:judgement_id>/retry")
class JudgementRetry(MethodView):
    """Another attempt."""

    @needs(Role.SUBMITTER)
    @blueprint.response(200, JudgementSchema)
    @blueprint.problems(404, 409)
    @blueprint.doc(operationId="judgements_retry")
    def post(self, job_id: str, judgement_id: str) -> JudgementView:
        """Judge what the judge failed on in a completed judgement, and what a retry of the job has replaced."""
        return _shown(control.retry(services(), tenant=current_tenant(), job_id=judgement_id, of=job_id))


def _shown(judgement: Job) -> JudgementView:
    with services().store.read() as session:
        return shown(session, [judgement])[0]
