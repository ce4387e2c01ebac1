"""Reports on jobs."""

from typing import Any

from flask.views import MethodView

from service.api.auth import needs
from service.api.blueprint import Blueprint
from service.api.context import current_tenant, services
from service.api.presenting import by_role
from service.api.schemas.reports import ReportQuerySchema, ReportSchema
from service.domain import report
from service.domain.report import Report
from service.domain.roles import Role
from service.store import jobs, tallies

blueprint = Blueprint("reports", __name__, url_prefix="/v1/jobs", description="What a job found.")


@blueprint.route("/<job:job_id>/report")
class ReportOfJob(MethodView):
    """The report on one job."""

    @needs(Role.READER)
    @blueprint.arguments(ReportQuerySchema, location="query")
    @blueprint.response(200, ReportSchema)
    @blueprint.problems(404)
    @blueprint.doc(operationId="reports_retrieve")
    def get(self, query: dict[str, Any], job_id: str) -> Report:
        """Report on a job: rates with 95% intervals, tables, gate, and what is needed to run it again.

        A job that still runs is reported on so far.
        """
        del query  # there is one format yet
        with services().store.read() as session:
            job = jobs.get(session, current_tenant(), job_id)
            usage = by_role(tallies.read_usage(session, job_id))
            return report.build(job, tallies.read(session, job_id), usage)
