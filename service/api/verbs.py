"""What a person may do to a job. Repeating a verb whose effect holds changes nothing."""

from typing import Any

from flask.views import MethodView

from service.api.auth import needs
from service.api.blueprint import Blueprint
from service.api.context import current_tenant, services
from service.api.presenting import JobView, view
from service.api.schemas.jobs import JobSchema
from service.api.schemas.specs import ResumeSchema
from service.domain.jobs import Job
from service.domain.roles import Role
from service.pipeline import control

blueprint = Blueprint("verbs", __name__, url_prefix="/<job:job_id>")  # below the jobs


@blueprint.route("/cancel")
class Cancellation(MethodView):
    """The end of a job."""

    @needs(Role.SUBMITTER)
    @blueprint.response(200, JobSchema)
    @blueprint.problems(404, 409)
    @blueprint.doc(operationId="jobs_cancel")
    def post(self, job_id: str) -> JobView:
        """Stop a job for good; the results that it has stay."""
        return _shown(control.cancel(services(), tenant=current_tenant(), job_id=job_id))


@blueprint.route("/pause")
class Pause(MethodView):
    """A halt."""

    @needs(Role.SUBMITTER)
    @blueprint.response(200, JobSchema)
    @blueprint.problems(404, 409)
    @blueprint.doc(operationId="jobs_pause")
    def post(self, job_id: str) -> JobView:
        """Send no further calls until the job is resumed."""
        return _shown(control.pause(services(), tenant=current_tenant(), job_id=job_id))


@blueprint.route("/resume")
class Resumption(MethodView):
    """The end of a halt."""

    @needs(Role.SUBMITTER)
    @blueprint.arguments(ResumeSchema, required=False)
    @blueprint.response(200, JobSchema)
    @blueprint.problems(404, 409)
    @blueprint.doc(operationId="jobs_resume")
    def post(self, body: dict[str, Any], job_id: str) -> JobView:
        """Go on with a paused job, under other limits if any are given.

        The body may be left out. Limits that are given replace all that the job has.
        """
        job = control.resume(services(), tenant=current_tenant(), job_id=job_id, limits=body["limits"])
        return _shown(job)


@blueprint.route("/retry")
class Retry(MethodView):
    """Another attempt."""

    @needs(Role.SUBMITTER)
    @blueprint.response(200, JobSchema)
    @blueprint.problems(404, 409)
    @blueprint.doc(operationId="jobs_retry")
    def post(self, job_id: str) -> JobView:
        """Run again what ended in an error in a completed job, and nothing else."""
        return _shown(control.retry(services(), tenant=current_tenant(), job_id=job_id))


def _shown(job: Job) -> JobView:
    with services().store.read() as session:
        return view(session, job)
