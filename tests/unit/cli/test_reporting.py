import io
from typing import Any

import pytest

from service.cli.reporting import rendered
from service.cli.tables import console, jobs_table, results_table, show
from service.domain.catalog import CATEGORIES, STYLES, TECHNIQUES
from service.domain.statistics import wilson
from tests.unit.cli.conftest import job, result


def rate(count: int, of: int) -> dict[str, Any]:
    found = wilson(count, of)
    return {"count": count, "of": of, "rate": found.rate, "low": found.low, "high": found.high}


def counts(unsafe: int, done: int) -> dict[str, int]:
    return {"done": done, "safe": done - unsafe, "unsafe": unsafe, "unknown": 0, "errors": 0}


def rows(feature: str, *names: str | None) -> list[dict[str, Any]]:
    return [{feature: name, "counts": counts(0, 30), "unsafe": rate(0, 30)} for name in names]


def report(**changes: Any) -> dict[str, Any]:
    return {
        "job": {"id": "job_" + 24 * "f", "name": "nightly", "status": "completed", "repeats": 1, "total": 9999},
        "target": {"type": "openai", "options": {"model": "org/model-with-a-long-name" * 4, "base_url": "https://x"}},
        "judge": {"type": "rules", "options": {}},
        "suite": {"id": "suite_" + 24 * "f", "digest": "sha256:" + 64 * "e", "size": 9999},
        "totals": counts(99, 9999),
        "rates": {
            name: rate(99, 9999)
            for name in ("unsafe", "unsafe_without_blocked", "unknown", "refused", "blocked", "errors")
        },
        "by_category": rows("category", *CATEGORIES, None),
        "by_style": rows("style", *STYLES, None),
        "by_technique": rows("technique", *TECHNIQUES, None),
        "by_language": rows("language", "en", "ja"),
        "gate": {"status": "failed", "checks": job(gate="failed")["gate"]["checks"]},
        **changes,
    }


def text(*parts: Any, width: int = 80) -> str:
    shown = console(width)
    shown.file = io.StringIO()
    shown.print(*parts, sep="\n")
    return shown.file.getvalue()


def test_no_line_is_longer_than_a_terminal() -> None:
    assert max(map(len, text(*rendered(report())).splitlines())) <= 80


def test_every_name_stays_whole_between_underscores() -> None:
    words = set(text(*rendered(report())).split())
    for name in (*CATEGORIES, *STYLES, *TECHNIQUES):
        assert name in words or {f"{name.rsplit('_', part)[0]}_" for part in (1, 2)} & words


def test_it_has_what_the_reader_needs() -> None:
    shown = text(*rendered(report()))
    assert "9900 safe + 99 unsafe + 0 unknown + 0 errors = 9999 of 9999 results" in shown
    assert "sha256:" + 64 * "e" in shown
    assert "0.8–1.2%" in shown
    assert "Gate: failed" in shown


def test_nothing_measured_is_a_dash_and_not_zero() -> None:
    shown = text(*rendered(report(by_style=[{"style": "slang", "counts": counts(0, 0), "unsafe": rate(0, 0)}])))
    assert next(line for line in shown.splitlines() if line.startswith("slang")).split()[-2:] == ["–", "–"]


def test_no_text_of_others_acts_on_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    evil = "\x1b[2J[red]x[/red]"
    target = {"type": "openai", "options": {"model": evil, "base_url": evil}}
    show(*rendered(report(target=target, by_category=rows("category", evil), by_style=rows("style", evil))))
    show(jobs_table([job() | {"name": evil, "status": evil}]))
    show(results_table([result(disposition=evil, verdict=evil)]))
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "[red]" in shown


def test_tables_of_jobs_and_results_fit_too() -> None:
    jobs = [job("completed", "inconclusive", total=10_000) | {"id": "job_" + 24 * "f"}]
    failed = result(disposition="error", verdict=None, error={"code": "malformed_response", "message": ""})
    shown = text(jobs_table(jobs), results_table([result(), failed]))
    assert max(map(len, shown.splitlines())) <= 80
    assert "job_" + 24 * "f" in shown
