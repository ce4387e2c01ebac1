"""The web application, wired together."""

from flask import Flask

from service.api import access, auditing, context, headers, payload, problems, routes, timing, traced
from service.settings import Settings

MAX_BODY_BYTES = problems.MAX_BODY_MIB * 1024 * 1024


def create_app(settings: Settings) -> Flask:
    """The application over these settings. Opens no connection: those are opened by the first request."""
    app = Flask("service", static_folder=None, template_folder=None)
    app.config.update(MAX_CONTENT_LENGTH=MAX_BODY_BYTES, PROVIDE_AUTOMATIC_OPTIONS=False)
    app.json.sort_keys = False  # type: ignore[attr-defined] # of the default provider
    context.attach(app, settings)
    timing.register(app)
    access.register(app)
    traced.register(app)
    headers.register(app)
    payload.register(app)
    auditing.register(app)
    problems.register(app)
    app.extensions["openapi"] = routes.register(app)
    return app
