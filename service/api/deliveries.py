"""What became of telling a job's webhook, and another attempt; and how the API's description shows what is sent."""

from typing import Any

from apispec import APISpec
from flask.views import MethodView

from service.api import cursors
from service.api.auth import needs
from service.api.blueprint import Blueprint
from service.api.context import current_tenant, services
from service.api.presenting import JobView, view
from service.api.schemas.events import EventSchema
from service.api.schemas.jobs import JobSchema
from service.api.schemas.webhooks import DeliveryPageSchema, DeliveryQuerySchema
from service.domain.roles import Role
from service.pipeline.notify import redeliver
from service.store import deliveries, jobs

blueprint = Blueprint("deliveries", __name__, url_prefix="/v1/jobs", description="What webhooks were told.")

_HEADERS = {
    "webhook-id": "Of the event, the same in every attempt.",
    "webhook-timestamp": "Of the attempt: seconds since the epoch.",
    "webhook-signature": "`v1,` and the base64 of HMAC-SHA256 over id, timestamp and body, joined by dots.",
}


@blueprint.route("/<job:job_id>/deliveries")
class Deliveries(MethodView):
    """All deliveries of a job: one for each time that it ended."""

    @needs(Role.READER)
    @blueprint.arguments(DeliveryQuerySchema, location="query")
    @blueprint.response(200, DeliveryPageSchema)
    @blueprint.problems(404)
    @blueprint.doc(operationId="deliveries_list")
    def get(self, query: dict[str, Any], job_id: str) -> dict[str, Any]:
        """List what the job's webhook was told or is yet to be told, newest first."""
        limit: int = query["limit"]
        with services().store.read() as session:
            job = jobs.get(session, current_tenant(), job_id)
            found = deliveries.page(session, job.id, after=query.get("cursor"), limit=limit + 1)
        return {"data": found[:limit], "next_cursor": cursors.behind("deliveries", found, limit)}


@blueprint.route("/<job:job_id>/redeliver")
class Redelivery(MethodView):
    """Another attempt."""

    @needs(Role.SUBMITTER)
    @blueprint.response(200, JobSchema)
    @blueprint.problems(404, 409)
    @blueprint.doc(operationId="jobs_redeliver")
    def post(self, job_id: str) -> JobView:
        """Tell the job's webhook of its last end again, whatever became of it before.

        It is sent at once, under the same id, and if need be as often as a new one.
        """
        job = redeliver(services(), tenant=current_tenant(), job_id=job_id)
        with services().store.read() as session:
            return view(session, job)


def describe(spec: APISpec) -> dict[str, Any]:
    """The section `webhooks` of the API's description."""
    spec.components.schema("Event", schema=EventSchema)
    headers = [
        {"in": "header", "name": name, "required": True, "description": text, "schema": {"type": "string"}}
        for name, text in _HEADERS.items()
    ]
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Event"}}}
    operation = {
        "summary": "A job with a webhook has ended.",
        "description": "Sent at least once, until a 2xx answers it: eight times over about a day.",
        "operationId": "job_ended",
        "parameters": headers,
        "requestBody": {"required": True, "content": content},
        "responses": {"2XX": {"description": "Delivered."}, "410": {"description": "Not to be sent again."}},
    }
    return {"jobEnded": {"post": operation}}
