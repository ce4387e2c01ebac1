"""Jobs: submitted, listed, shown and deleted."""

from typing import Any

from flask.views import MethodView

from service.api import cursors, verbs
from service.api.auth import needs
from service.api.blueprint import Blueprint
from service.api.context import current_tenant, services
from service.api.examples import JOB_EXAMPLES
from service.api.presenting import JobView, view, views
from service.api.schemas.jobs import IdempotencySchema, JobPageSchema, JobQuerySchema, JobSchema
from service.api.schemas.specs import JobSpecSchema
from service.api.submitting import submit_once
from service.domain.roles import Role
from service.domain.specs import JobSpec
from service.pipeline import control
from service.store import jobs

blueprint = Blueprint("jobs", __name__, url_prefix="/v1/jobs", description="Test jobs.")

LOCATION = {"description": "Where the job is found.", "required": True, "schema": {"type": "string"}}
REPLAYED = {"description": "The job was made by an earlier request.", "schema": {"type": "string", "enum": ["true"]}}


@blueprint.route("")
class Jobs(MethodView):
    """All jobs of a tenant."""

    @needs(Role.SUBMITTER)
    @blueprint.arguments(IdempotencySchema, location="headers")
    @blueprint.arguments(JobSpecSchema, examples=JOB_EXAMPLES)
    @blueprint.response(202, JobSchema, headers={"Location": LOCATION, "Idempotency-Replayed": REPLAYED})
    @blueprint.problems(404, 409)
    @blueprint.doc(operationId="jobs_create")
    def post(self, headers: dict[str, Any], spec: JobSpec) -> tuple[JobView, dict[str, str]]:
        """Submit a test job.

        It is accepted even when no worker can be told yet. With an Idempotency-Key, sending it again is safe.
        """
        return submit_once(spec, headers.get("key"))

    @needs(Role.READER)
    @blueprint.arguments(JobQuerySchema, location="query")
    @blueprint.response(200, JobPageSchema)
    @blueprint.doc(operationId="jobs_list")
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """List jobs, newest first.

        Cursors stay valid while jobs are added.
        """
        with services().store.read() as session:
            limit: int = query.pop("limit")
            found = jobs.page(session, current_tenant(), **query, limit=limit + 1)
            return {"data": views(session, found[:limit]), "next_cursor": cursors.behind("jobs", found, limit)}


@blueprint.route("/<job:job_id>")
class JobById(MethodView):
    """One job."""

    @needs(Role.READER)
    @blueprint.response(200, JobSchema)
    @blueprint.problems(404)
    @blueprint.doc(operationId="jobs_retrieve")
    def get(self, job_id: str) -> JobView:
        """Show a job with its progress."""
        with services().store.read() as session:
            return view(session, jobs.get(session, current_tenant(), job_id))

    @needs(Role.OPERATOR)
    @blueprint.response(204)
    @blueprint.problems(404, 409)
    @blueprint.doc(operationId="jobs_delete")
    def delete(self, job_id: str) -> None:
        """Delete a job that has ended, with its results."""
        control.delete(services(), tenant=current_tenant(), job_id=job_id)


blueprint.register_blueprint(verbs.blueprint)
