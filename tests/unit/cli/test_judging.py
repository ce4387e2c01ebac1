import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.conftest import FakeService, Run, result

Output = pytest.CaptureFixture[str]
PATH = "/v1/jobs/job_1/judgements"


def judgement(status: str = "completed", **changes: Any) -> dict[str, Any]:
    """A judgement as the service shows it."""
    counts = {"safe": 6, "unsafe": 2, "unknown": 1, "errors": 1, "total": 10, "done": 10}
    return {"id": "jdg_1", "job_id": "job_1", "status": status, "status_reason": None, "progress": counts, **changes}


def row(**counts: int) -> dict[str, int]:
    return {"safe": 0, "unsafe": 0, "unknown": 0, "error": 0, **counts}


def agreement(**changes: Any) -> dict[str, Any]:
    """An agreement as the service shows it, with one difference."""
    case = result()["case"]
    return {
        "a": {"judgement": "original", "name": None, "judge": {"type": "rules", "options": {}}},
        "b": {"judgement": "jdg_1", "name": "ours", "judge": {"type": "llm", "options": {"model": "j"}}},
        "agreement": {"count": 7, "of": 8, "rate": 0.875, "low": 0.529, "high": 0.978},
        "kappa": {"value": 0.6, "low": -0.03, "high": 1.0},
        "confusion": {"safe": row(safe=6, unsafe=1), "unsafe": row(unsafe=1), "unknown": row(), "error": row(error=2)},
        "data": [{"case": case, "a": {"verdict": "safe"}, "b": {"verdict": "unsafe", "reason": "harm"}}],
        "next_cursor": None,
        **changes,
    }


@pytest.fixture
def judge(tmp_path: Path) -> str:
    file = tmp_path / "judge.json"
    file.write_text('{"type": "rules"}')
    return str(file)


def test_judge_sends_the_file_as_the_judge_and_prints_the_id(
    service: FakeService, proofhouse: Run, judge: str, capsys: Output
) -> None:
    service.answers[f"POST {PATH}"] = 202, judgement("queued")
    assert proofhouse("judge", "job_1", judge, "--name", "ours") == 0
    assert json.loads(service.asked[0][2]) == {"judge": {"type": "rules"}, "name": "ours"}
    assert capsys.readouterr().out == "jdg_1\n"


@pytest.mark.parametrize(("status", "code"), [("completed", 0), ("paused", 4), ("failed", 4), ("cancelled", 4)])
def test_judge_and_wait_ends_with_what_became_of_it(  # noqa: PLR0917 - fixtures
    status: str, code: int, service: FakeService, proofhouse: Run, judge: str, capsys: Output
) -> None:
    service.answers[f"POST {PATH}"] = 202, judgement("queued")
    service.answers[f"GET {PATH}/jdg_1"] = 200, judgement(status, status_reason={"code": "x", "message": "Because."})
    assert proofhouse("judge", "job_1", judge, "--wait") == code
    told = "10 of 10 done: 6 safe, 2 unsafe, 1 unknown, 1 errors. Because."
    assert capsys.readouterr().out == f"jdg_1 {status}, {told}\n"


def test_a_file_that_is_no_json_is_wrong_usage(service: FakeService, proofhouse: Run, tmp_path: Path) -> None:
    file = tmp_path / "judge.json"
    file.write_text("rules")
    assert proofhouse("judge", "job_1", str(file)) == 2
    assert service.asked == []


def test_agreement_shows_figures_counts_and_differences(service: FakeService, proofhouse: Run, capsys: Output) -> None:
    service.answers["GET /v1/jobs/job_1/agreement"] = 200, agreement()
    assert proofhouse("agreement", "job_1", "original", "jdg_1") == 0
    told = capsys.readouterr().out
    assert "a: original · rules\nb: jdg_1 · ours · llm · j\n" in told
    assert "same verdict: 7 of 8 (87.5%, 52.9% to 97.8%)" in told
    assert "Cohen's kappa: 0.60 (-0.03 to 1.00)" in told
    assert [line.split() for line in told.splitlines() if line.startswith("safe")] == [["safe", "6", "1", "0", "0"]]
    assert "non_violent_" in told
    assert "harm" not in told


def test_agreement_without_a_kappa_says_why(service: FakeService, proofhouse: Run, capsys: Output) -> None:
    nothing = {"value": None, "low": None, "high": None}
    service.answers["GET /v1/jobs/job_1/agreement"] = 200, agreement(kappa=nothing, data=[])
    assert proofhouse("agreement", "job_1", "original", "jdg_1") == 0
    assert "not defined" in capsys.readouterr().out


def test_agreement_as_json_is_what_the_service_says(service: FakeService, proofhouse: Run, capsys: Output) -> None:
    service.answers["GET /v1/jobs/job_1/agreement"] = 200, agreement()
    assert proofhouse("agreement", "job_1", "original", "jdg_1", "--json") == 0
    assert json.loads(capsys.readouterr().out) == agreement()
