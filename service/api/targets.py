"""Stored targets: a key is given once, and the target used by its id."""

from typing import Any

from flask.views import MethodView

from service.api import cursors
from service.api.at_once import AtOnce
from service.api.auth import needs
from service.api.blueprint import Blueprint
from service.api.context import current_tenant, services
from service.api.schemas.targets import (
    NewTargetSchema,
    StoredTargetSchema,
    TargetPageSchema,
    TargetQuerySchema,
    TrialSchema,
    target_path,
)
from service.domain.roles import Role
from service.errors import TooManyTrialsError
from service.pipeline import named
from service.pipeline.named import Trial
from service.store import stored_targets
from service.store.stored_targets import StoredTarget

blueprint = Blueprint("targets", __name__, url_prefix="/v1/targets", description="Targets with a name.")

TRIALS = AtOnce(2, lambda: TooManyTrialsError("Other targets are being tested; try again in a few seconds."))
LOCATION = {"description": "Where the target is found.", "required": True, "schema": {"type": "string"}}


@blueprint.route("")
class Targets(MethodView):
    """All stored targets of a tenant."""

    @needs(Role.OPERATOR)
    @blueprint.arguments(NewTargetSchema)
    @blueprint.response(201, StoredTargetSchema, headers={"Location": LOCATION})
    @blueprint.problems(409)
    @blueprint.doc(operationId="targets_create")
    def post(self, new: dict[str, Any]) -> tuple[StoredTarget, dict[str, str]]:
        """Store a target under a name, with its key.

        Jobs then name it: `"target": {"target_id": …}`.
        """
        stored = named.keep(services(), **new, tenant=current_tenant())
        return stored, {"Location": target_path(stored.id)}

    @needs(Role.READER)
    @blueprint.arguments(TargetQuerySchema, location="query")
    @blueprint.response(200, TargetPageSchema)
    @blueprint.doc(operationId="targets_list")
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """List stored targets, newest first."""
        limit: int = query["limit"]
        with services().store.read() as session:
            found = stored_targets.page(session, current_tenant(), after=query.get("cursor"), limit=limit + 1)
        return {"data": found[:limit], "next_cursor": cursors.behind("targets", found, limit)}


@blueprint.route("/<target:target_id>")
class TargetById(MethodView):
    """One stored target."""

    @needs(Role.READER)
    @blueprint.response(200, StoredTargetSchema)
    @blueprint.problems(404)
    @blueprint.doc(operationId="targets_retrieve")
    def get(self, target_id: str) -> StoredTarget:
        """Show a stored target, without its secrets."""
        with services().store.read() as session:
            return stored_targets.get(session, current_tenant(), target_id)

    @needs(Role.OPERATOR)
    @blueprint.arguments(NewTargetSchema)
    @blueprint.response(200, StoredTargetSchema)
    @blueprint.problems(404, 409)
    @blueprint.doc(operationId="targets_replace")
    def put(self, new: dict[str, Any], target_id: str) -> StoredTarget:
        """Put another target in its place, the key included: one that is left out is gone.

        Jobs that were submitted before keep to what they have.
        """
        return named.change(services(), target_id, **new, tenant=current_tenant())

    @needs(Role.OPERATOR)
    @blueprint.response(204)
    @blueprint.problems(404, 409)
    @blueprint.doc(operationId="targets_delete")
    def delete(self, target_id: str) -> None:
        """Delete a stored target that no unended job uses."""
        named.forget(services(), target_id, tenant=current_tenant())


@blueprint.route("/<target:target_id>/test")
class TargetTest(MethodView):
    """One call."""

    @needs(Role.OPERATOR)
    @blueprint.response(200, TrialSchema)
    @blueprint.problems(404)
    @blueprint.doc(operationId="targets_test")
    def post(self, target_id: str) -> Trial:
        """Ask the target to say hello, once, and say within 15 seconds what came of it.

        The call is made by the API, not by a worker. Two are made at once; others are answered 429.
        """
        with TRIALS.place():
            return named.try_out(services(), target_id, tenant=current_tenant())
