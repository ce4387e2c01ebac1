import io
import json
from pathlib import Path

import pytest

from tests.unit.cli.conftest import FakeService, Run, job

Output = pytest.CaptureFixture[str]


@pytest.fixture
def spec(tmp_path: Path) -> str:
    file = tmp_path / "spec.json"
    file.write_text('{"name": "ours"}')
    return str(file)


ENDINGS = [
    pytest.param(job(status, gate), code, id=f"{status}-{gate}")
    for status, gate, code in (
        ("completed", "none", 0),
        ("completed", "passed", 0),
        ("completed", "failed", 1),
        ("completed", "inconclusive", 5),
        ("completed", "of a later release", 5),
        ("failed", "none", 4),
        ("cancelled", "none", 4),
    )
]


def test_submit_sends_the_file_and_prints_the_id(
    service: FakeService, proofhouse: Run, spec: str, capsys: Output
) -> None:
    service.answers["POST /v1/jobs"] = 202, job("queued")
    assert proofhouse("submit", spec, "--idempotency-key", "once") == 0
    _, headers, body = service.asked[0]
    assert json.loads(body) == {"name": "ours"}
    assert headers["Idempotency-Key"] == "once"
    assert capsys.readouterr().out == "job_1\n"


@pytest.mark.parametrize(("ended", "code"), ENDINGS)
def test_submit_and_wait_ends_with_the_gates_code(  # noqa: PLR0917 - fixtures
    ended: dict[str, object], code: int, service: FakeService, proofhouse: Run, spec: str, capsys: Output
) -> None:
    service.answers["POST /v1/jobs"] = 202, job("queued")
    service.answers["GET /v1/jobs/job_1"] = 200, ended
    assert proofhouse("submit", spec, "--wait", "--json") == code
    assert json.loads(capsys.readouterr().out) == ended


@pytest.mark.parametrize(("ended", "code"), ENDINGS[1:])
def test_watch_and_gate_end_with_the_same_code(
    ended: dict[str, object], code: int, service: FakeService, proofhouse: Run
) -> None:
    service.answers["GET /v1/jobs/job_1"] = 200, ended
    assert proofhouse("watch", "job_1") == code
    assert proofhouse("watch", "job_1", "--json") == code
    assert proofhouse("gate", "job_1") == code
    assert proofhouse("gate", "job_1", "--json") == code


def test_the_gate_of_a_job_that_still_runs_is_inconclusive(service: FakeService, proofhouse: Run) -> None:
    service.answers["GET /v1/jobs/job_1"] = 200, job("running")
    assert proofhouse("gate", "job_1") == 5


def test_a_gate_that_was_never_set_does_not_pass(service: FakeService, proofhouse: Run, capsys: Output) -> None:
    service.answers["GET /v1/jobs/job_1"] = 200, job("completed", "none")
    assert proofhouse("gate", "job_1") == 2
    assert "without thresholds" in capsys.readouterr().err


def test_gate_shows_what_was_measured(service: FakeService, proofhouse: Run, capsys: Output) -> None:
    service.answers["GET /v1/jobs/job_1"] = 200, job("completed", "failed", safe=8, unsafe=2)
    proofhouse("gate", "job_1")
    shown = capsys.readouterr().out
    assert "job_1 completed, 10 of 10 done: 8 safe, 2 unsafe, 0 unknown, 0 errors; gate failed" in shown
    assert "unsafe_rate: 20.00%, at most 10.00%" in shown


@pytest.mark.parametrize("text", ["{", "[]", '"text"', ""])
def test_a_specification_that_is_no_json_object_is_not_sent(
    text: str, service: FakeService, proofhouse: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    assert proofhouse("submit", "-") == 2
    assert service.asked == []


def test_without_a_key_nothing_is_asked(
    service: FakeService, proofhouse: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("PROOFHOUSE_API_KEY")
    monkeypatch.setenv("PROOFHOUSE_DATA_DIR", str(tmp_path))
    assert proofhouse("list") == 3
    assert service.asked == []


def test_the_key_of_the_embedded_stack_is_found(
    service: FakeService, proofhouse: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("PROOFHOUSE_API_KEY")
    monkeypatch.setenv("PROOFHOUSE_DATA_DIR", str(tmp_path))
    (tmp_path / "admin.key").write_text("ph_admin\n")
    service.answers["GET /v1/jobs"] = 200, {"data": [], "next_cursor": None}
    assert proofhouse("list") == 0
    assert service.asked[0][1]["Authorization"] == "Bearer ph_admin"


def test_the_key_of_the_embedded_stack_goes_to_no_other_machine(
    proofhouse: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Output
) -> None:
    monkeypatch.delenv("PROOFHOUSE_API_KEY", raising=False)
    monkeypatch.setenv("PROOFHOUSE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("PROOFHOUSE_URL", "https://proofhouse.example.com")
    (tmp_path / "admin.key").write_text("ph_admin\n")
    assert proofhouse("list") == 3
    assert "No key for https://proofhouse.example.com" in capsys.readouterr().err


@pytest.mark.parametrize("url", ["example.com", "ftp://example.com", "http://", "http:///x"])
def test_an_address_that_is_none_is_wrong_usage(url: str, proofhouse: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROOFHOUSE_URL", url)
    monkeypatch.setenv("PROOFHOUSE_API_KEY", "ph_test")
    assert proofhouse("list") == 2


def test_list_goes_on_to_the_next_page_until_it_has_enough(
    service: FakeService, proofhouse: Run, capsys: Output
) -> None:
    service.answers["GET /v1/jobs"] = 200, {"data": [job(), job()], "next_cursor": "more"}
    assert proofhouse("list", "--limit", "3", "--label", "team:x", "--json") == 0
    assert len(capsys.readouterr().out.splitlines()) == 3
    assert [asked for asked, _, _ in service.asked] == [
        "GET /v1/jobs?limit=3&label=team%3Ax",
        "GET /v1/jobs?limit=3&cursor=more&label=team%3Ax",
    ]


def test_cancel_says_how_the_job_stands(service: FakeService, proofhouse: Run, capsys: Output) -> None:
    service.answers["POST /v1/jobs/job_1/cancel"] = 200, job("cancelled", safe=4)
    assert proofhouse("cancel", "job_1") == 0
    assert capsys.readouterr().out.startswith("job_1 cancelled, 4 of 10 done")


def test_redeliver_says_how_the_job_stands(service: FakeService, proofhouse: Run, capsys: Output) -> None:
    service.answers["POST /v1/jobs/job_1/redeliver"] = 200, job("completed", safe=10)
    assert proofhouse("redeliver", "job_1") == 0
    assert capsys.readouterr().out.startswith("job_1 completed, 10 of 10 done")
