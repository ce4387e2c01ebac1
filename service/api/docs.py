"""The API's description: as OpenAPI at /openapi.yaml, to read and try out at /docs. Nothing comes from elsewhere."""

import threading
from pathlib import Path

import flask_swagger_ui
from flask import Blueprint as PlainBlueprint
from flask import Response, current_app, send_from_directory
from flask.views import MethodView
from werkzeug.exceptions import NotFound

from service.api.blueprint import Blueprint
from service.api.describing import to_yaml

ASSETS = Path(flask_swagger_ui.__file__).parent / "dist"
SHOWN = frozenset({"swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"})
# Swagger UI sets styles on elements, and draws its icons from data URLs.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Proofhouse API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
</head>
<body>
<div id="api"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
START = """SwaggerUIBundle({url: "/openapi.yaml", dom_id: "#api", deepLinking: true, validatorUrl: null});
"""

_WRITING = threading.Lock()
"""It takes most of a second; many at once who ask first would each write their own."""

blueprint = Blueprint("description", __name__, description="This description.")
pages = PlainBlueprint("docs", __name__, url_prefix="/docs")


@blueprint.route("/openapi.yaml")
class Description(MethodView):
    """The description as OpenAPI."""

    @blueprint.response(200, {"type": "object"}, content_type="application/yaml")
    @blueprint.doc(operationId="openapi_retrieve")
    def get(self) -> Response:
        """Give this description."""
        return Response(_description(), content_type="application/yaml")


@pages.get("")
def index() -> Response:
    """The page that shows the description."""
    return _page(PAGE, "text/html; charset=utf-8")


@pages.get("/start.js")
def start() -> Response:
    """The script that starts it; in a file of its own, so that the page needs no inline script."""
    return _page(START, "text/javascript; charset=utf-8")


@pages.get("/<name>")
def asset(name: str) -> Response:
    """A file of Swagger UI."""
    if name not in SHOWN:
        raise NotFound
    response = send_from_directory(ASSETS, name, max_age=3600)
    response.headers["Content-Security-Policy"] = POLICY
    return response


def _page(text: str, content_type: str) -> Response:
    return Response(text, content_type=content_type, headers={"Content-Security-Policy": POLICY})


def _description() -> str:
    """Written when first asked for, and kept."""
    extensions = current_app.extensions
    with _WRITING:
        if "openapi_yaml" not in extensions:
            extensions["openapi_yaml"] = to_yaml(extensions["openapi"])
    text: str = extensions["openapi_yaml"]
    return text
