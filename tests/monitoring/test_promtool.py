"""What Prometheus' own checker says of the rules, and what becomes of tests that lack it."""

from pathlib import Path

import pytest
import yaml

from tests.deploy import chart
from tests.support.prometheus import MONITORING, ROOT, program, promtool

RULES = MONITORING / "rules.yaml"


def test_the_rules_can_be_loaded() -> None:
    assert "SUCCESS" in promtool("check", "rules", "--lint-fatal", str(RULES))


def test_every_alert_fires_when_it_should_and_not_before() -> None:
    assert "SUCCESS" in promtool("test", "rules", str(MONITORING / "tests" / "rules_test.yaml"))


def test_the_rules_of_one_release_say_what_is_absent_of_it_and_nothing_of_another(tmp_path: Path) -> None:
    rules = chart.only(chart.of("monitoring"), "PrometheusRule")["spec"]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(rules))
    other = '{job="proofhouse-api",namespace="safety",release="other"}'
    series = [
        {"series": f"up{other}", "values": "1x10"},
        {"series": f"proofhouse_workers{other.replace('job', 'state')}", "values": "0x10"},
    ]
    firing = ("ProofhouseDependencyDown", "ProofhouseScrapeDown")
    labels = (f'ALERTS{{alertname="{name}",alertstate="firing",namespace="safety",release="trial",' for name in firing)
    expected = [{"labels": f'{each}severity="critical"}}', "value": 1} for each in labels]
    seen = {"expr": "ALERTS", "eval_time": "5m", "exp_samples": expected}
    tests = [{"interval": "1m", "input_series": series, "promql_expr_test": [seen]}]
    (tmp_path / "test.yaml").write_text(yaml.safe_dump({"rule_files": ["rules.yaml"], "tests": tests}))
    assert "SUCCESS" in promtool("check", "rules", "--lint-fatal", str(tmp_path / "rules.yaml"))
    assert "SUCCESS" in promtool("test", "rules", str(tmp_path / "test.yaml"))


def test_the_configuration_for_compose_can_be_loaded() -> None:
    assert "SUCCESS" in promtool("check", "config", "--syntax-only", str(ROOT / "deploy" / "prometheus.yml"))


def test_without_the_program_a_test_is_skipped_and_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROOFHOUSE_REQUIRE_PROMETHEUS", raising=False)
    with pytest.raises(pytest.skip.Exception, match="Debian's package `prometheus` has it"):
        program("no-such-program")


def test_where_prometheus_is_required_a_missing_program_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROOFHOUSE_REQUIRE_PROMETHEUS", "1")
    with pytest.raises(pytest.fail.Exception, match="no-such-program is not installed"):
        program("no-such-program")
