"""Whatever a model, a target's server or another user wrote: no command passes on what a terminal would act on."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.conftest import FakeService, Run, job, result
from tests.unit.cli.test_judging import agreement, judgement
from tests.unit.cli.test_reporting import report

HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b31m\r[red]hot[/red][link=http://evil]\u202e\x00"
SAID_BY_THE_SERVICE = {"id", "job_id", "status", "created_at", "verdict", "disposition", "next_cursor"}
PATH = "/v1/jobs/job_1"
COMMANDS = [
    ("list",),
    ("gate", "job_1"),
    ("watch", "job_1"),
    ("pause", "job_1"),
    ("results", "job_1"),
    ("results", "job_1", "--content"),
    ("results", "job_1", "--content", "--json"),
    ("list", "--json"),
    ("watch", "job_1", "--json"),
    ("report", "job_1"),
    ("agreement", "job_1", "original", "jdg_1"),
    ("submit", "SPEC", "--wait"),
    ("judge", "job_1", "SPEC", "--wait"),
]


def soiled(value: Any) -> Any:
    """The value with hostile text after every text that is not the service's own."""
    if isinstance(value, dict):
        return {name: each if name in SAID_BY_THE_SERVICE else soiled(each) for name, each in value.items()}
    if isinstance(value, list):
        return [soiled(each) for each in value]
    return value + HOSTILE if isinstance(value, str) else value


@pytest.fixture
def hostile(service: FakeService) -> FakeService:
    reason = {"status_reason": {"code": "x", "message": "Because."}, "name": "nightly"}
    one, other = soiled({**job("paused"), **reason}), soiled(judgement("paused", **reason))
    row = soiled(result(error={"code": "timeout", "message": "late"}, verdict=None, disposition="error"))
    rows = "\n".join(map(json.dumps, [soiled(result()), row])).encode()
    service.answers |= {
        "GET /v1/jobs": (200, {"data": [one], "next_cursor": None}),
        "POST /v1/jobs": (202, one),
        f"GET {PATH}": (200, one),
        f"POST {PATH}/pause": (200, one),
        f"GET {PATH}/results": (200, rows),
        f"GET {PATH}/report": (200, soiled(report())),
        f"GET {PATH}/agreement": (200, soiled(agreement())),
        f"POST {PATH}/judgements": (202, other),
        f"GET {PATH}/judgements/jdg_1": (200, other),
    }
    return service


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_command_passes_it_on(
    command: tuple[str, ...], hostile: FakeService, proofhouse: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = tmp_path / "spec.json"
    spec.write_text('{"type": "rules"}')
    assert proofhouse(*(str(spec) if part == "SPEC" else part for part in command)) in {0, 4, 5}
    out, err = capsys.readouterr()
    assert out
    assert [character for character in out + err if character != "\n" and not character.isprintable()] == []
    if "--content" in command and "--json" not in command:
        assert "[red]hot[/red][link=http://evil]" in out, "markup is text like any other"


def test_nor_does_an_error(service: FakeService, proofhouse: Run, capsys: pytest.CaptureFixture[str]) -> None:
    service.answers["GET /v1/jobs"] = 422, {"code": "x", "detail": HOSTILE, "errors": []}
    assert proofhouse("list") != 0
    _, err = capsys.readouterr()
    assert "owned" in err
    assert [character for character in err if character != "\n" and not character.isprintable()] == []
