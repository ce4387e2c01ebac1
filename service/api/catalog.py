"""The catalogue: what jobs may be made of."""

from functools import cache
from typing import Any

from flask.views import MethodView

from service.api.auth import needs
from service.api.blueprint import Blueprint
from service.api.describing import options_schema
from service.api.schemas.catalog import CatalogSchema
from service.api.schemas.plugins import first_line
from service.domain.catalog import CATEGORIES, STYLES, TECHNIQUES
from service.domain.roles import Role
from service.generators.base import generators
from service.judges.base import judges
from service.registry import Registry
from service.targets.base import targets

blueprint = Blueprint("catalog", __name__, url_prefix="/v1/catalog", description="What jobs may be made of.")


@blueprint.route("")
class Catalog(MethodView):
    """The one catalogue."""

    @needs(Role.READER)
    @blueprint.response(200, CatalogSchema)
    @blueprint.doc(operationId="catalog_retrieve")
    def get(self) -> dict[str, Any]:
        """Show categories, styles and techniques, and generators, targets and judges with their options."""
        return _catalog()


@cache
def _catalog() -> dict[str, Any]:
    return {
        "categories": list(CATEGORIES.values()),
        "styles": list(STYLES.values()),
        "techniques": list(TECHNIQUES.values()),
        "generators": _described(generators),
        "targets": _described(targets),
        "judges": _described(judges),
    }


def _described(registry: Registry[Any]) -> list[dict[str, Any]]:
    return [
        {"type": name, "description": first_line(plugin), "options": options_schema(registry.schema(name))}
        for name, plugin in registry.items()
    ]
