"""Reports on jobs."""

from typing import Any

from flask.views import MethodView

from service.api.auth import needs
from service.api.blueprint import Blueprint
from service.api.context import current_tenant, services
from service.api.judged import chosen
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

        A job that still runs is reported on so far. With `judgement`, everything is counted by its verdicts.
        """
        with services().store.read() as session:
            job = jobs.get(session, current_tenant(), job_id)
            by = chosen(session, job, query["judgement"])
            target, judge = (by_role(tallies.read_usage(session, part.id)) for part in (job, by))
            usage = {"target": target["target"], "judge": judge["judge"]}
            judgement = by if by.completions_of else None
            return report.build(job, tallies.read(session, by.id), usage, judgement=judgement)
