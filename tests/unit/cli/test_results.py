import json

import pytest

from tests.unit.cli.conftest import FakeService, Run, result

Output = pytest.CaptureFixture[str]
TEXTS = ("the prompt", "the answer", "the refusal", "the reason", "the judge's words")


@pytest.fixture
def stored(service: FakeService) -> FakeService:
    rows = [result(), result(response="one\x1b[2J\ntwo", verdict="safe")]
    service.answers["GET /v1/jobs/job_1/results"] = 200, "\n".join(map(json.dumps, rows)).encode()
    return service


@pytest.mark.parametrize("how", [(), ("--json",)])
def test_no_text_is_shown_unless_asked_for(
    how: tuple[str, ...], stored: FakeService, proofhouse: Run, capsys: Output
) -> None:
    assert proofhouse("results", "job_1", *how) == 0
    shown = capsys.readouterr().out
    assert "unsafe" in shown
    assert not [text for text in TEXTS if text in shown]


def test_asked_for_it_is_shown_harmlessly(stored: FakeService, proofhouse: Run, capsys: Output) -> None:
    assert proofhouse("results", "job_1", "--content") == 0
    shown = capsys.readouterr().out
    assert "  answer  one\\x1b[2J\n          two\n" in shown
    assert "\x1b" not in shown


def test_as_json_it_is_complete_and_in_ascii(stored: FakeService, proofhouse: Run, capsys: Output) -> None:
    assert proofhouse("results", "job_1", "--content", "--json") == 0
    lines = capsys.readouterr().out.splitlines()
    assert json.loads(lines[0]) == result()
    assert all(line.isascii() and line.isprintable() for line in lines)


def test_filters_are_the_services_business(stored: FakeService, proofhouse: Run) -> None:
    proofhouse("results", "job_1", "--verdict", "unsafe", "--category", "self_harm")
    assert stored.asked[0][0] == "GET /v1/jobs/job_1/results?verdict=unsafe&category=self_harm"


def test_the_limit_is_kept_and_said(stored: FakeService, proofhouse: Run, capsys: Output) -> None:
    assert proofhouse("results", "job_1", "--limit", "1", "--json") == 0
    assert len(capsys.readouterr().out.splitlines()) == 1
    assert proofhouse("results", "job_1", "--limit", "1") == 0
    assert "first 1" in capsys.readouterr().err
    assert proofhouse("results", "job_1", "--limit", "2") == 0
    assert capsys.readouterr().err == ""
