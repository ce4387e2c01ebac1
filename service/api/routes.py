"""Every route of the service."""

from typing import Any

from flask import Flask

from service.api import catalog, docs, health, jobs, reports, results, scrape, suites
from service.api.blueprint import Api
from service.api.ids import JOB_ID, SUITE_ID, JobId, SuiteId

RESOURCES = (jobs, results, reports, suites, catalog, health, scrape, docs)


def register(app: Flask) -> dict[str, Any]:
    """Add all routes; gives the API's description."""
    app.url_map.converters["job"] = JobId
    app.url_map.converters["suite"] = SuiteId
    app.url_map.strict_slashes = True
    api = Api(app)
    api.register_converter(JobId, lambda _: dict(JOB_ID))
    api.register_converter(SuiteId, lambda _: dict(SUITE_ID))
    for resource in RESOURCES:
        api.register_blueprint(resource.blueprint)
    app.register_blueprint(docs.pages)
    description: dict[str, Any] = api.spec.to_dict()
    return {"openapi": description.pop("openapi"), **description}
