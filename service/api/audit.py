"""The audit log: read here, written by service.api.auditing and by commands."""

from typing import Any

from flask.views import MethodView

from service.api import cursors
from service.api.auth import needs
from service.api.blueprint import Blueprint
from service.api.context import current_tenant, services
from service.api.schemas.audit import EntryPageSchema, EntryQuerySchema
from service.domain.roles import Role
from service.store import audit

blueprint = Blueprint("audit", __name__, url_prefix="/v1/audit", description="Who did what.")


@blueprint.route("")
class Audit(MethodView):
    """All entries of a tenant."""

    @needs(Role.ADMIN)
    @blueprint.arguments(EntryQuerySchema, location="query")
    @blueprint.response(200, EntryPageSchema)
    @blueprint.doc(operationId="audit_list")
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """List what was done with the tenant's keys and to them, newest first: every request but those that read."""
        limit: int = query["limit"]
        with services().store.read() as session:
            found = audit.page(session, current_tenant(), query["which"], after=query["after"], limit=limit + 1)
        more = len(found) > limit
        return {
            "data": found[:limit],
            "next_cursor": cursors.encode("audit", found[limit - 1].number) if more else None,
        }
