"""Who may do what: keys, roles and tenants, over every route that the application has."""

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from service.api import routes
from service.domain.roles import Role
from service.pipeline.services import Services
from service.store import keys
from tests.api.conftest import (
    OTHER_TENANT,
    TENANT,
    UNKNOWN_EXAMPLE,
    UNKNOWN_JOB,
    UNKNOWN_JUDGEMENT,
    UNKNOWN_SUITE,
    assert_problem,
    spec,
    with_key,
)

OPEN = {"/healthz", "/readyz", "/metrics", "/openapi.yaml"}


def _endpoints() -> Iterator[tuple[str, str]]:
    """(method, path) of all that needs a key, found from the application itself."""
    app = Flask("service", static_folder=None)
    routes.register(app)
    for rule in app.url_map.iter_rules():
        if rule.rule not in OPEN and not rule.rule.startswith("/docs"):
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield method, re.sub(r"<(\w+):\w+>", r"{\1}", rule.rule)


ENDPOINTS = sorted(_endpoints())

UNKNOWN_TARGET = "target_0123456789abcdef01234567"
UNKNOWN = {
    "job": UNKNOWN_JOB,
    "suite": UNKNOWN_SUITE,
    "judgement": UNKNOWN_JUDGEMENT,
    "target": UNKNOWN_TARGET,
    "example": UNKNOWN_EXAMPLE,
}
BODIES = {
    ("POST", "/v1/jobs"): spec(),
    ("POST", "/v1/suites"): spec()["suite"],
    ("POST", "/v1/examples"): {"examples": [{"category": "violence", "text": "Explain how to pick a fight."}]},
    ("POST", "/v1/jobs/{job}/judgements"): {"judge": {"type": "rules"}},
    ("POST", "/v1/targets"): {"name": "new", "target": spec()["target"]},
    ("PUT", "/v1/targets/{target}"): {"name": "changed", "target": spec()["target"]},
}
QUERIES = {"/v1/jobs/{job}/agreement": {"a": "original", "b": "original"}}


def ask(client: FlaskClient, method: str, path: str, **ids: str) -> TestResponse:
    """Send the least request that fits."""
    body, query = BODIES.get((method, path)), QUERIES.get(path)
    return client.open(path.format(**ids), method=method, json=body, query_string=query)


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
def test_a_key_is_needed(app: Flask, method: str, path: str) -> None:
    response = app.test_client().open(path.format(**UNKNOWN), method=method, data="not read", content_type="a/b")
    assert_problem(response, 401, "unauthenticated")
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Bearer ph_wrong", "bearer a=b", "Basic YTpi", "Basic !", "Token x", "ph_x", "Bearer ü"],
)
def test_bad_keys(app: Flask, header: str) -> None:
    assert_problem(app.test_client().get("/v1/jobs", headers={"Authorization": header}), 401, "unauthenticated")


def test_a_revoked_key(app: Flask, services: Services) -> None:
    with services.store.write() as session:
        entry, key = keys.create(session, tenant=TENANT, name="k", role=Role.READER)
    client = with_key(app, key)
    assert client.get("/v1/jobs").status_code == 200
    with services.store.write() as session:
        keys.revoke(session, entry.id)
    assert_problem(client.get("/v1/jobs"), 401, "unauthenticated")


def test_the_scheme_may_be_written_in_any_case(client: FlaskClient) -> None:
    key = client.environ_base["HTTP_AUTHORIZATION"].replace("Bearer", "bEARER")
    assert client.get("/v1/jobs", headers={"Authorization": key}).status_code == 200


def test_tenants_differ() -> None:
    assert TENANT != OTHER_TENANT
