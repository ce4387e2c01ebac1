"""What Prometheus' own checker says of the rules."""

from tests.support.prometheus import MONITORING, ROOT, promtool

RULES = MONITORING / "rules.yaml"


def test_the_rules_can_be_loaded() -> None:
    assert "SUCCESS" in promtool("check", "rules", "--lint-fatal", str(RULES))


def test_every_alert_fires_when_it_should_and_not_before() -> None:
    assert "SUCCESS" in promtool("test", "rules", str(MONITORING / "tests" / "rules_test.yaml"))


def test_the_configuration_for_compose_can_be_loaded() -> None:
    assert "SUCCESS" in promtool("check", "config", "--syntax-only", str(ROOT / "deploy" / "prometheus.yml"))
