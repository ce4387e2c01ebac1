"""Rules, dashboards and runbooks fit each other and the metrics that there are. Needs no Prometheus."""

import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.fernet import Fernet
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from service import metrics
from service.app import create_app
from service.settings import Settings
from tests.support import dashboards
from tests.support.prometheus import MONITORING, ROOT

RULES: list[dict[str, Any]] = [
    rule for group in yaml.safe_load((MONITORING / "rules.yaml").read_text())["groups"] for rule in group["rules"]
]
ALERTS = {rule["alert"]: rule for rule in RULES if "alert" in rule}
RECORDS = {rule["record"]: rule for rule in RULES if "record" in rule}
TESTS: list[dict[str, Any]] = yaml.safe_load((MONITORING / "tests" / "rules_test.yaml").read_text())["tests"]
RUNBOOKS = ROOT / "docs" / "runbooks"
LOADED = dashboards.load()

_NAME = re.compile(r"\b(?:\w+:)?proofhouse[_:][a-z0-9_:]+")

_SELECTED = re.compile(r"\b(up|(?:\w+:)?proofhouse[_:][a-z0-9_:]+)\b(\{[^}]*\})?")


def named(expression: str) -> set[str]:
    """The metrics and recorded series that an expression speaks of."""
    return set(_NAME.findall(re.sub(r'"[^"]*"', '""', expression)))


def expressions() -> list[str]:
    return [rule["expr"] for rule in RULES] + [query.expression for query in dashboards.queries()]


@pytest.fixture(scope="module")
def families(sqlite_template: Path, valkey_url: str) -> set[str]:
    """The names of all metrics that API and workers expose, as the text format's parser has them."""
    app = create_app(Settings(f"sqlite:///{sqlite_template}", valkey_url, (Fernet.generate_key().decode(),)))
    text = app.test_client().get("/metrics").text + generate_latest(metrics.collected()).decode()
    app.extensions["proofhouse"][1].close()
    return {family.name for family in text_string_to_metric_families(text)}


def family_of(name: str, families: set[str]) -> str | None:
    """The metric to which a name in an expression belongs."""
    stems = (name, *(name.removesuffix(end) for end in ("_total", "_bucket", "_count", "_sum")))
    return next((stem for stem in stems if stem in families), None)


def test_every_expression_speaks_of_metrics_that_there_are(families: set[str]) -> None:
    unknown = {name for text in expressions() for name in named(text) if not family_of(name, families)}
    assert unknown - set(RECORDS) == set()


def test_every_metric_is_on_a_dashboard(families: set[str]) -> None:
    shown = {family_of(name, families) for query in dashboards.queries() for name in named(query.expression)}
    assert families - shown == set()


def test_every_series_in_a_rule_is_of_a_release_that_the_chart_can_name() -> None:
    for rule in RULES:
        series = _SELECTED.findall(rule["expr"])
        assert series
        assert [name for name, labels in series if 'release=~".*"' not in labels] == [], rule


def test_every_recorded_series_is_of_use() -> None:
    assert set(RECORDS) == {name for text in expressions() for name in named(text)} & set(RECORDS)


def test_every_alert_has_its_page_and_every_page_its_alert() -> None:
    assert {page.stem for page in RUNBOOKS.glob("*.md")} == set(ALERTS)
    assert {name: rule["annotations"]["runbook_url"] for name, rule in ALERTS.items()} == {
        name: f"docs/runbooks/{name}.md" for name in ALERTS
    }


@pytest.mark.parametrize("alert", ALERTS)
def test_a_page_says_what_it_means_where_to_look_what_to_do_and_when_it_is_over(alert: str) -> None:
    page = (RUNBOOKS / f"{alert}.md").read_text()
    headings = re.findall(r"^#+ .*$", page, re.MULTILINE)
    assert headings == [f"# {alert}", "## Look", "## Do", "## Over when"]
    assert page.split("\n\n")[1].startswith("**Means**: ")
    assert "```bash" in page.partition("## Look")[2].partition("## Do")[0]


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_is_tested_while_it_fires_and_while_it_does_not(alert: str) -> None:
    cases = [case for test in TESTS for case in test["alert_rule_test"] if case["alertname"] == alert]
    assert any(case["exp_alerts"] for case in cases)
    assert any(not case["exp_alerts"] for case in cases)


@pytest.mark.parametrize("alert", ALERTS)
def test_the_alerts_page_lists_every_alert(alert: str) -> None:
    rule = ALERTS[alert]
    listed = f"| [`{alert}`](runbooks/{alert}.md) | {rule['labels']['severity']} | {rule['for'][:-1]} min |"
    assert listed in (ROOT / "docs" / "monitoring.md").read_text()


def test_dashboards_can_be_told_apart_and_know_their_files() -> None:
    assert {dashboard["uid"] for dashboard in LOADED.values()} == {f"proofhouse-{Path(name).stem}" for name in LOADED}
    assert "Proofhouse: throughput" in {dashboard["title"] for dashboard in LOADED.values()}


@pytest.mark.parametrize("name", LOADED)
def test_every_panel_and_variable_takes_the_chosen_data_source(name: str) -> None:
    variables = [each for each in LOADED[name]["templating"]["list"] if each["type"] == "query"]
    sources = [each["datasource"] for each in (*LOADED[name]["panels"], *variables)]
    assert {(source["type"], source["uid"]) for source in sources} == {("prometheus", "${datasource}")}
    assert [each["name"] for each in LOADED[name]["templating"]["list"]] == ["datasource", "job", "instance"]


@pytest.mark.parametrize("name", LOADED)
def test_panels_have_a_unit_a_number_of_their_own_and_a_place_of_their_own(name: str) -> None:
    panels = LOADED[name]["panels"]
    assert all(panel["fieldConfig"]["defaults"]["unit"] for panel in panels)
    assert [panel["id"] for panel in panels] == list(range(1, len(panels) + 1))
    assert all(0 <= place["x"] <= 24 - place["w"] for place in (panel["gridPos"] for panel in panels))
    pairs = combinations([panel["gridPos"] for panel in panels], 2)
    assert not [pair for pair in pairs if _overlap(*pair)]


def test_rates_go_by_the_interval_that_grafana_knows_and_series_by_the_chosen_instances() -> None:
    for query in dashboards.queries():
        windows = re.findall(r"\[([^\]]*)\]", query.expression)
        assert set(windows) <= ({"$__range"} if query.instant else {"$__rate_interval", "$__range"}), query
        raw = [name for name in named(query.expression) if name not in RECORDS]
        selectors = re.findall(r'proofhouse_\w+\{job=~"\$job",instance=~"\$instance"', query.expression)
        assert len(selectors) >= len(raw), query


def _overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    return all(
        one[at] < other[at] + other[length] and other[at] < one[at] + one[length]
        for at, length in (("x", "w"), ("y", "h"))
    )
