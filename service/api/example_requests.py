"""Example requests of a tenant's own, which a model that writes a suite is shown."""

from typing import Any

from flask.views import MethodView

from service.api import cursors
from service.api.auth import needs
from service.api.blueprint import Blueprint
from service.api.context import current_tenant, services
from service.api.schemas.examples import (
    ExamplePageSchema,
    ExampleQuerySchema,
    ExampleSchema,
    NewExamplesSchema,
    TakenSchema,
)
from service.domain.examples import Example, Taken
from service.domain.roles import Role
from service.pipeline.examples import add, feed_back
from service.store import examples

blueprint = Blueprint(
    "examples", __name__, url_prefix="/v1/examples", description="Example requests of your own, for the generator llm."
)


@blueprint.route("")
class Examples(MethodView):
    """All examples of a tenant."""

    @needs(Role.SUBMITTER)
    @blueprint.arguments(NewExamplesSchema)
    @blueprint.response(200, TakenSchema)
    @blueprint.problems(404, 409)
    @blueprint.doc(operationId="examples_create")
    def post(self, given: dict[str, Any]) -> Taken:
        """Keep example requests, or the prompts of a job's unsafe results as such.

        Each category keeps a wording once, so sending it again changes nothing.
        """
        if "examples" in given:
            return add(services(), given["examples"], tenant=current_tenant())
        return feed_back(services(), **given, tenant=current_tenant())

    @needs(Role.READER)
    @blueprint.arguments(ExampleQuerySchema, location="query")
    @blueprint.response(200, ExamplePageSchema)
    @blueprint.doc(operationId="examples_list")
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """List example requests, newest first."""
        limit = query["limit"]
        with services().store.read() as session:
            found = examples.page(
                session, current_tenant(), query.get("category"), after=query.get("cursor"), limit=limit + 1
            )
        return {"data": found[:limit], "next_cursor": cursors.behind("examples", found, limit)}


@blueprint.route("/<example:example_id>")
class ExampleById(MethodView):
    """One example."""

    @needs(Role.READER)
    @blueprint.response(200, ExampleSchema)
    @blueprint.problems(404)
    @blueprint.doc(operationId="examples_retrieve")
    def get(self, example_id: str) -> Example:
        """Show an example request."""
        with services().store.read() as session:
            return examples.get(session, current_tenant(), example_id)

    @needs(Role.OPERATOR)
    @blueprint.response(204)
    @blueprint.problems(404)
    @blueprint.doc(operationId="examples_delete")
    def delete(self, example_id: str) -> None:
        """Forget an example request; suites that were written with it stay as they are."""
        with services().store.write() as session:
            examples.remove(session, current_tenant(), example_id)
