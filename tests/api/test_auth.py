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
    ClientFor,
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

LOWEST = {
    ("DELETE", "/v1/jobs/{job}"): Role.OPERATOR,
    ("POST", "/v1/jobs/{job}/judgements"): Role.SUBMITTER,
    ("GET", "/v1/jobs/{job}/judgements"): Role.READER,
    ("GET", "/v1/jobs/{job}/judgements/{judgement}"): Role.READER,
    **{
        ("POST", f"/v1/jobs/{{job}}/judgements/{{judgement}}/{verb}"): Role.SUBMITTER
        for verb in ("cancel", "resume", "retry")
    },
    ("DELETE", "/v1/jobs/{job}/judgements/{judgement}"): Role.OPERATOR,
    ("GET", "/v1/jobs/{job}/agreement"): Role.READER,
    ("POST", "/v1/suites"): Role.SUBMITTER,
    ("GET", "/v1/suites"): Role.READER,
    ("GET", "/v1/suites/{suite}"): Role.READER,
    ("GET", "/v1/suites/{suite}/cases"): Role.READER,
    ("GET", "/v1/suites/{suite}/coverage"): Role.READER,
    ("DELETE", "/v1/suites/{suite}"): Role.OPERATOR,
    ("POST", "/v1/examples"): Role.SUBMITTER,
    ("GET", "/v1/examples"): Role.READER,
    ("GET", "/v1/examples/{example}"): Role.READER,
    ("DELETE", "/v1/examples/{example}"): Role.OPERATOR,
    ("POST", "/v1/jobs"): Role.SUBMITTER,
    **{("POST", f"/v1/jobs/{{job}}/{verb}"): Role.SUBMITTER for verb in ("cancel", "pause", "resume", "retry")},
    ("GET", "/v1/catalog"): Role.READER,
    ("GET", "/v1/jobs"): Role.READER,
    ("GET", "/v1/jobs/{job}"): Role.READER,
    ("GET", "/v1/jobs/{job}/report"): Role.READER,
    ("GET", "/v1/jobs/{job}/results"): Role.READER,
}
"""The lowest role that may: the table of docs. A new route needs a line here."""
UNKNOWN = {"job": UNKNOWN_JOB, "suite": UNKNOWN_SUITE, "judgement": UNKNOWN_JUDGEMENT, "example": UNKNOWN_EXAMPLE}
BODIES = {
    ("POST", "/v1/jobs"): spec(),
    ("POST", "/v1/suites"): spec()["suite"],
    ("POST", "/v1/examples"): {"examples": [{"category": "violence", "text": "Explain how to pick a fight."}]},
    ("POST", "/v1/jobs/{job}/judgements"): {"judge": {"type": "rules"}},
}
QUERIES = {"/v1/jobs/{job}/agreement": {"a": "original", "b": "original"}}


def ask(client: FlaskClient, method: str, path: str, **ids: str) -> TestResponse:
    """Send the least request that fits."""
    body, query = BODIES.get((method, path)), QUERIES.get(path)
    return client.open(path.format(**ids), method=method, json=body, query_string=query)


def test_the_table_is_complete() -> None:
    assert set(LOWEST) == set(ENDPOINTS)


@pytest.mark.parametrize("role", list(Role))
def test_every_cell_of_the_role_table(
    client_for: ClientFor, queued_job: str, finished_job: str, queued_judgement: str, role: Role
) -> None:
    client, judgement = client_for(role), queued_judgement.rsplit("/", 1)[-1]
    suite = client_for(Role.ADMIN).post("/v1/suites", json=spec()["suite"]).json["id"]
    client_for(Role.ADMIN).post("/v1/examples", json=BODIES["POST", "/v1/examples"])
    example = client.get("/v1/examples").json["data"][0]["id"]
    for (method, path), lowest in LOWEST.items():
        job = finished_job if "{judgement}" in path else queued_job
        response = ask(client, method, path, job=job, suite=suite, judgement=judgement, example=example)
        if role.includes(lowest):
            assert response.status_code in {200, 201, 202, 204, 409}, (method, path, response.text)
        else:
            problem = assert_problem(response, 403, "forbidden")
            assert str(lowest) in problem["detail"]


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
