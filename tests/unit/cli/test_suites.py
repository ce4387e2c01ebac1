import io
import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.conftest import FakeService, Run

Output = pytest.CaptureFixture[str]
CASE = {
    "index": 0, "prompt": "the prompt\x1b[2J", "category": "self_harm", "style": "slang", "technique": None,
    "language": "en", "attack": None, "provenance": {"examples": ["the example"]},
}  # fmt: skip
SHORT = {"category": "violence", "style": "slang", "technique": "logical_appeal", "language": "en", "missing": 3}


def suite(status: str = "ready", **changes: Any) -> dict[str, Any]:
    """A suite as the service shows it, written by a model."""
    effort = {
        "usage": {"requests": 7, "prompt_tokens": 900, "completion_tokens": 80},
        "refused": 1, "unreadable": 2, "failed": 0, "rejected": {"duplicate": 4}, "shortfall": [],
    }  # fmt: skip
    return {
        "id": "suite_1", "name": "mine", "status": status, "status_reason": None, "size": 5,
        "digest": "sha256:0" if status == "ready" else None, "duplicates": 0,
        "generator": {"type": "llm", "options": {"model": "w", "base_url": "http://w"}},
        "effort": {**effort, **changes.pop("effort", {})}, "upload": None, "created_at": "2026-11-24T09:04:44Z",
        **changes,
    }  # fmt: skip


@pytest.fixture
def spec(tmp_path: Path) -> str:
    file = tmp_path / "suite.json"
    file.write_text('{"generator": "matrix"}')
    return str(file)


def test_create_sends_the_file_with_the_key_and_prints_the_id(
    service: FakeService, proofhouse: Run, spec: str, capsys: Output
) -> None:
    service.answers["POST /v1/suites"] = 202, suite("generating")
    assert proofhouse("suites", "create", spec, "--idempotency-key", "k") == 0
    _, headers, body = service.asked[0]
    assert (json.loads(body), headers["Idempotency-Key"]) == ({"generator": "matrix"}, "k")
    assert capsys.readouterr().out == "suite_1\n"


@pytest.mark.parametrize(
    ("made", "code", "told"),
    [
        (suite(effort={"shortfall": [SHORT]}), 0, "suite_1 ready, 5 cases, sha256:0; 3 missing\n"),
        (suite("failed", status_reason={"code": "x", "message": "Because."}), 4,
         "suite_1 failed, 5 cases wanted. Because.\n"),
    ],
    ids=["ready", "failed"],
)  # fmt: skip
def test_create_and_wait_ends_with_what_became_of_it(  # noqa: PLR0917 - fixtures
    made: dict[str, Any], code: int, told: str, service: FakeService, proofhouse: Run, spec: str, capsys: Output
) -> None:
    service.answers["POST /v1/suites"] = 202, suite("generating")
    service.answers["GET /v1/suites/suite_1"] = 200, made
    assert proofhouse("suites", "create", spec, "--wait") == code
    assert capsys.readouterr().out == told


def test_a_suite_that_is_refused_is_wrong_usage(service: FakeService, proofhouse: Run, spec: str) -> None:
    service.answers["POST /v1/suites"] = 422, {"title": "Invalid", "detail": "No.", "errors": []}
    assert proofhouse("suites", "create", spec) == 2


@pytest.mark.parametrize(
    ("name", "kind"), [("a.csv", "text/csv"), ("a.JSONL", "application/x-ndjson"), ("a.ndjson", "application/x-ndjson")]
)
def test_upload_sends_the_file_as_it_is_with_how_to_read_it(  # noqa: PLR0917 - fixtures
    name: str, kind: str, service: FakeService, proofhouse: Run, tmp_path: Path, capsys: Output
) -> None:
    service.answers["POST /v1/suites"] = 201, suite()
    file = tmp_path / name
    file.write_bytes(b"question\nHow?\n" * 10_000)
    how = ("--name", "mine", "--on-invalid", "skip", "--drop-duplicates", "--map", "prompt:q", "--map", "style:s")
    assert proofhouse("suites", "upload", str(file), *how) == 0
    path, headers, body = service.asked[0]
    assert path == "POST /v1/suites?name=mine&on_invalid=skip&drop_duplicates=true&columns=prompt%3Aq%2Cstyle%3As"
    assert (headers["Content-Type"], body) == (kind, file.read_bytes())
    assert capsys.readouterr().out == "suite_1\n"


def test_a_file_of_an_unknown_kind_is_not_guessed_at(service: FakeService, proofhouse: Run, tmp_path: Path) -> None:
    file = tmp_path / "cases.txt"
    file.write_text("prompt\nHow?\n")
    assert proofhouse("suites", "upload", str(file)) == 2
    assert service.asked == []
    service.answers["POST /v1/suites"] = 201, suite()
    assert proofhouse("suites", "upload", str(file), "--format", "csv") == 0


def test_list_shows_one_a_line(service: FakeService, proofhouse: Run, capsys: Output) -> None:
    service.answers["GET /v1/suites"] = 200, {"data": [suite(), suite("generating", name=None)], "next_cursor": None}
    assert proofhouse("suites", "list", "--status", "ready") == 0
    assert "status=ready" in service.asked[0][0]
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ["suite_1", "11-24", "09:04", "ready", "5", "mine"]
    assert proofhouse("suites", "list", "--json") == 0
    assert [json.loads(line)["status"] for line in capsys.readouterr().out.splitlines()] == ["ready", "generating"]


def test_show_tells_what_it_cost_and_what_is_missing(service: FakeService, proofhouse: Run, capsys: Output) -> None:
    service.answers["GET /v1/suites/suite_1"] = 200, suite(effort={"shortfall": [SHORT]})
    assert proofhouse("suites", "show", "suite_1") == 0
    told = capsys.readouterr().out
    for part in ("suite_1 · mine · ready", "llm · w · http://w", "7, 900 + 80 tokens", "1 refused", "4 duplicate"):
        assert part in told
    assert told.splitlines()[-1].split() == ["violence", "slang", "logical_appeal", "en", "3"]
    assert proofhouse("suites", "show", "suite_1", "--json") == 0
    assert json.loads(capsys.readouterr().out)["id"] == "suite_1"


@pytest.mark.parametrize("how", [(), ("--json",)])
def test_no_prompt_is_shown_unless_asked_for(
    how: tuple[str, ...], service: FakeService, proofhouse: Run, capsys: Output
) -> None:
    service.answers["GET /v1/suites/suite_1/cases"] = 200, json.dumps(CASE).encode()
    assert proofhouse("suites", "cases", "suite_1", *how) == 0
    shown = capsys.readouterr().out
    assert "self_harm" in shown
    assert "the prompt" not in shown
    assert "the example" not in shown


def test_asked_for_prompts_are_shown_harmlessly(service: FakeService, proofhouse: Run, capsys: Output) -> None:
    service.answers["GET /v1/suites/suite_1/cases"] = 200, json.dumps(CASE).encode()
    assert proofhouse("suites", "cases", "suite_1", "--content") == 0
    assert capsys.readouterr().out == "#0 self_harm · slang · en\n  the prompt\\x1b[2J\n\n"
    assert proofhouse("suites", "cases", "suite_1", "--content", "--json") == 0
    assert json.loads(capsys.readouterr().out) == CASE


def test_more_cases_than_shown_are_told_of(service: FakeService, proofhouse: Run, capsys: Output) -> None:
    lines = "\n".join(json.dumps({**CASE, "index": number}) for number in range(3))
    service.answers["GET /v1/suites/suite_1/cases"] = 200, lines.encode()
    assert proofhouse("suites", "cases", "suite_1", "--limit", "2") == 0
    told = capsys.readouterr()
    assert len(told.out.splitlines()) == 1 + 2
    assert "These are the first 2" in told.err


@pytest.mark.parametrize(("status", "code"), [(204, 0), (409, 2), (404, 2), (403, 3), (503, 4)])
def test_delete_ends_with_what_the_service_says(status: int, code: int, service: FakeService, proofhouse: Run) -> None:
    problem = {"title": "No", "detail": "No.", "errors": []}
    service.answers["DELETE /v1/suites/suite_1"] = (status, problem if status != 204 else b"")
    assert proofhouse("suites", "delete", "suite_1") == code


def test_upload_reads_standard_input(service: FakeService, proofhouse: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"prompt\nHow?\n")))
    service.answers["POST /v1/suites"] = 201, suite()
    assert proofhouse("suites", "upload", "-", "--format", "csv") == 0
    assert service.asked[0][2] == b"prompt\nHow?\n"
