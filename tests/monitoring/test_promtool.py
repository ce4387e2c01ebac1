"""What Prometheus' own checker says of the rules, and what becomes of tests that lack it."""

import pytest

from tests.support.prometheus import MONITORING, ROOT, program, promtool

RULES = MONITORING / "rules.yaml"


def test_the_rules_can_be_loaded() -> None:
    assert "SUCCESS" in promtool("check", "rules", "--lint-fatal", str(RULES))


def test_every_alert_fires_when_it_should_and_not_before() -> None:
    assert "SUCCESS" in promtool("test", "rules", str(MONITORING / "tests" / "rules_test.yaml"))


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
