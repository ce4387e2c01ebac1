"""The table of roles in docs/access.md, cell by cell, over every operation that the application has."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from flask.testing import FlaskClient

from service.domain.roles import Role
from tests.api.conftest import ClientFor, assert_problem, spec
from tests.api.test_auth import ENDPOINTS, ask

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| `(\w+)` \| (yes|no) \| (yes|no) \| (yes|no) \| (yes|no) \|$", re.MULTILINE)
COLUMNS = (Role.READER, Role.SUBMITTER, Role.OPERATOR, Role.ADMIN)


def _table() -> dict[str, dict[Role, bool]]:
    """OperationId → role → whether it may, as the page says."""
    rows = ROW.findall((ROOT / "docs" / "access.md").read_text())
    return {name: {role: cell == "yes" for role, cell in zip(COLUMNS, cells, strict=True)} for name, *cells in rows}


def _operations() -> Iterator[tuple[str, tuple[str, str]]]:
    """(operationId, (method, path)) of all that needs a key."""
    for path, methods in yaml.load((ROOT / "openapi.yaml").read_text(), yaml.CSafeLoader)["paths"].items():
        for method, operation in methods.items():
            if method != "parameters" and operation.get("security") == [{"bearer": []}]:
                plain = re.sub(r"{(\w+)}", lambda found: f"{{{found[1].removesuffix('_id')}}}", path)
                yield operation["operationId"], (method.upper(), plain)


TABLE, OPERATIONS = _table(), dict(_operations())


def test_the_table_has_a_row_for_every_operation_and_no_other() -> None:
    assert set(TABLE) == set(OPERATIONS)
    assert sorted(OPERATIONS.values()) == ENDPOINTS


@pytest.fixture
def ids(client: FlaskClient, finished_job: str, queued_job: str, queued_judgement: str) -> dict[str, str]:
    """One of each thing, of the tenant whose keys are tried."""
    ask(client, "POST", "/v1/examples")
    return {
        "job": queued_job,
        "finished": finished_job,
        "judgement": queued_judgement.rsplit("/", 1)[-1],
        "suite": client.post("/v1/suites", json=spec()["suite"]).json["id"],
        "target": client.post("/v1/targets", json={"name": "t", "target": spec()["target"]}).json["id"],
        "example": client.get("/v1/examples").json["data"][0]["id"],
    }


@pytest.mark.parametrize("role", Role)
def test_every_cell_of_the_table(client_for: ClientFor, ids: dict[str, str], role: Role) -> None:
    client = client_for(role)
    for operation, cells in sorted(TABLE.items(), key=lambda row: row[0].endswith("_delete")):
        method, path = OPERATIONS[operation]
        of = ids | ({"job": ids["finished"]} if "{judgement}" in path else {})
        response = ask(client, method, path, **of)
        if cells[role]:
            assert response.status_code in {200, 201, 202, 204, 409}, (operation, response.text)
        else:
            lowest = next(column for column in COLUMNS if cells[column])
            assert f"the role {lowest} " in assert_problem(response, 403, "forbidden")["detail"], operation
