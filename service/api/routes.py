"""Every route of the service."""

from collections.abc import Callable
from typing import Any

from flask import Flask

from service.api import (
    agreements,
    audit,
    catalog,
    deliveries,
    docs,
    example_requests,
    health,
    jobs,
    judgements,
    reports,
    results,
    scrape,
    suites,
    targets,
)
from service.api.blueprint import Api
from service.api.ids import (
    EXAMPLE_ID,
    JOB_ID,
    JUDGEMENT_ID,
    SUITE_ID,
    TARGET_ID,
    ExampleId,
    JobId,
    JudgementId,
    SuiteId,
    TargetId,
)

RESOURCES = (
    jobs,
    results,
    reports,
    deliveries,
    judgements,
    agreements,
    suites,
    example_requests,
    targets,
    catalog,
    audit,
    health,
    scrape,
    docs,
)
IDS = {
    "job": (JobId, JOB_ID),
    "judgement": (JudgementId, JUDGEMENT_ID),
    "suite": (SuiteId, SUITE_ID),
    "example": (ExampleId, EXAMPLE_ID),
    "target": (TargetId, TARGET_ID),
}


def register(app: Flask) -> dict[str, Any]:
    """Add all routes; gives the API's description."""
    app.url_map.converters["job"] = JobId
    app.url_map.converters.update({name: converter for name, (converter, _) in IDS.items()})
    app.url_map.strict_slashes = True
    api = Api(app)
    for converter, schema in IDS.values():
        api.register_converter(converter, _always(schema))
    for resource in RESOURCES:
        api.register_blueprint(resource.blueprint)
    app.register_blueprint(docs.pages)
    webhooks = deliveries.describe(api.spec)
    description: dict[str, Any] = api.spec.to_dict()
    return {"openapi": description.pop("openapi"), **description, "webhooks": webhooks}


def _always(schema: dict[str, str]) -> Callable[[object], dict[str, str]]:
    """What describes a converter, a copy each time, since it is added to."""
    return lambda _: dict(schema)
