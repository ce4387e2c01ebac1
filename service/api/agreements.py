"""Agreement: two sets of verdicts on a job's completions held against each other."""

from dataclasses import dataclass
from typing import Any

from flask.views import MethodView

from service.api import cursors
from service.api.auth import needs
from service.api.blueprint import Blueprint
from service.api.context import current_tenant, services
from service.api.judged import chosen
from service.api.schemas.agreements import AgreementQuerySchema, AgreementSchema
from service.domain.agreement import Agreement, agreement
from service.domain.jobs import Job, Result
from service.domain.roles import Role
from service.store import jobs
from service.store.agreement import differences, read_confusion

blueprint = Blueprint("agreements", __name__, url_prefix="/v1/jobs", description="How far two judges agree.")


@dataclass(frozen=True, slots=True)
class Difference:
    """A result on which the two sets differ, as one and as the other has it."""

    a: Result
    b: Result


@dataclass(frozen=True, slots=True)
class AgreementView:
    """Two sets of verdicts, how far they agree, and a page of the results where they don't."""

    job: Job
    a: Job
    b: Job
    found: Agreement
    data: list[Difference]
    next_cursor: str | None


@blueprint.route("/<job:job_id>/agreement")
class AgreementOfJob(MethodView):
    """The agreement of two sets of verdicts."""

    @needs(Role.READER)
    @blueprint.arguments(AgreementQuerySchema, location="query")
    @blueprint.response(200, AgreementSchema)
    @blueprint.problems(404)
    @blueprint.doc(operationId="agreements_retrieve")
    def get(self, query: dict[str, Any], job_id: str) -> AgreementView:
        """Compare two sets of verdicts on a job: Cohen's κ, the counts behind it, and the results where they differ.

        Results on which one of the two has no verdict, for an error, stand in the counts and go no further.
        """
        after, limit = query.get("cursor"), query["limit"]
        with services().store.read() as session:
            job = jobs.get(session, current_tenant(), job_id)
            a, b = (chosen(session, job, query[name]) for name in ("a", "b"))
            found = differences(session, job, a, b, after=after, limit=limit)
            counted = agreement(read_confusion(session, a, b), repeats=job.repeats)
        last = found.rows[-1][0] if found.more else None
        cursor = cursors.encode("differences", last.repeat, last.case.index) if last else None
        return AgreementView(job, a, b, counted, [Difference(*pair) for pair in found.rows], cursor)
