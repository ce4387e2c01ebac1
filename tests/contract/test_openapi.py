"""openapi.yaml is valid, and it is what the code says."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask import Flask
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from service.api import openapi, routes
from service.api.blueprint import PROBLEMS

FILE = Path(__file__).parents[2] / "openapi.yaml"
DESCRIPTION: dict[str, Any] = yaml.load(FILE.read_text(), yaml.CSafeLoader)
OPERATIONS = {
    operation["operationId"]: operation
    for path in DESCRIPTION["paths"].values()
    for method, operation in path.items()
    if method != "parameters"
}


def test_it_is_up_to_date() -> None:
    assert openapi.main(["--check", str(FILE)]) == 0, "run `make format`"


def test_drift_is_noticed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stale = tmp_path / "openapi.yaml"
    assert openapi.main(["--check", str(stale)]) == 1
    stale.write_text("openapi: 3.1.0\n")
    assert openapi.main(["--check", str(stale)]) == 1
    assert "is out of date: run" in capsys.readouterr().err
    assert openapi.main([str(stale)]) == 0
    assert openapi.main(["--check", str(stale)]) == 0


def test_it_is_valid() -> None:
    assert DESCRIPTION["openapi"] == "3.1.0"
    validate(DESCRIPTION, cls=OpenAPIV31SpecValidator)


def test_the_names_that_clients_call_stay() -> None:
    assert set(OPERATIONS) >= {
        "jobs_create",
        "jobs_retrieve",
        "jobs_list",
        "jobs_cancel",
        "jobs_delete",
        "results_list",
        "reports_retrieve",
        "judgements_create",
        "judgements_retrieve",
        "judgements_list",
        "judgements_cancel",
        "judgements_resume",
        "judgements_retry",
        "judgements_delete",
        "agreements_retrieve",
        "catalog_retrieve",
    }


def test_every_route_but_the_docs_pages_is_described() -> None:
    app = Flask("service", static_folder=None)
    routes.register(app)
    routed = {re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule) for rule in app.url_map.iter_rules()}
    assert {path for path in routed if not path.startswith("/docs")} == set(DESCRIPTION["paths"])


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_every_operation_says_what_it_does_and_how_it_fails(name: str) -> None:
    operation = OPERATIONS[name]
    assert operation["summary"].endswith(".")
    assert "\n" not in operation["summary"]
    assert "500" in operation["responses"]
    if operation.get("security") == [{"bearer": []}]:
        assert {"401", "403", "503"} <= set(operation["responses"])
    if "requestBody" in operation:
        assert {"400", "413", "415", "422"} <= set(operation["responses"])


@pytest.mark.parametrize("name", [name for name, _ in PROBLEMS.values()])
def test_errors_are_problems(name: str) -> None:
    response = DESCRIPTION["components"]["responses"][name]
    assert response["content"] == {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}


def test_plugins_are_told_apart_by_their_type() -> None:
    target = DESCRIPTION["components"]["schemas"]["NewTarget"]["properties"]["target"]
    assert target["discriminator"]["mapping"]["openai"] == "#/components/schemas/OpenaiTarget"
    assert {"$ref": "#/components/schemas/OpenaiTarget"} in target["oneOf"]


def test_a_job_takes_a_stored_target_too() -> None:
    target = DESCRIPTION["components"]["schemas"]["JobSpec"]["properties"]["target"]
    wanted = [{"$ref": f"#/components/schemas/{name}"} for name in ("OpenaiTarget", "NamedTarget")]
    assert all(form in target["oneOf"] for form in wanted)


def test_secrets_are_write_only() -> None:
    assert DESCRIPTION["components"]["schemas"]["OpenaiTarget"]["properties"]["api_key"]["writeOnly"] is True
