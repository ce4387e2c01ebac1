"""Every route of the service."""

from typing import Any

from flask import Flask

from service.api import agreements, catalog, docs, health, jobs, judgements, reports, results, scrape
from service.api.blueprint import Api
from service.api.ids import JOB_ID, JUDGEMENT_ID, JobId, JudgementId

RESOURCES = (jobs, results, reports, judgements, agreements, catalog, health, scrape, docs)


def register(app: Flask) -> dict[str, Any]:
    """Add all routes; gives the API's description."""
    app.url_map.converters["job"] = JobId
    app.url_map.converters["judgement"] = JudgementId
    app.url_map.strict_slashes = True
    api = Api(app)
    api.register_converter(JobId, lambda _: dict(JOB_ID))
    api.register_converter(JudgementId, lambda _: dict(JUDGEMENT_ID))
    for resource in RESOURCES:
        api.register_blueprint(resource.blueprint)
    app.register_blueprint(docs.pages)
    description: dict[str, Any] = api.spec.to_dict()
    return {"openapi": description.pop("openapi"), **description}
