"""Who may reach whom by the chart's policies: what each part needs, and no more than the values say."""

from typing import Any

import pytest

from tests.deploy import chart
from tests.deploy.chart import MODELS, NEEDED, PEER, SCRAPER, of, only

Rule = dict[str, Any]
DNS, DATABASE, REDIS = {53}, {5432}, {6380}
ANY_POD = {"namespaceSelector": {}}


def rules(name: str, part: str, direction: str) -> list[Rule]:
    found: list[Rule] = only(of(name), "NetworkPolicy", f"-{part}")["spec"][direction]
    return found


def ports(rules: list[Rule]) -> set[int]:
    """Those that anybody may be reached at."""
    return {each["port"] for rule in rules if "to" not in rule for each in rule["ports"]}


def peers(rules: list[Rule], port: str | None = None) -> list[Any]:
    """Whom the rules name, for one port or for all; None in it is everybody."""
    named = [rule for rule in rules if port is None or {"port": port} in rule["ports"]]
    return [peer for rule in named for peer in rule.get("from", rule.get("to", [None]))]


@pytest.mark.parametrize("part", ["api", "worker"])
def test_api_and_workers_reach_database_redis_and_models_but_not_where_clouds_keep_credentials(part: str) -> None:
    egress = rules("needed", part, "egress")
    assert ports(egress) == DNS | DATABASE | REDIS
    blocks = [peer["ipBlock"] for rule in egress for peer in rule.get("to", []) if "ipBlock" in peer]
    assert {"cidr": "0.0.0.0/0", "except": ["169.254.0.0/16"]} in blocks


@pytest.mark.parametrize("part", ["api", "worker"])
def test_api_and_workers_reach_the_models_that_are_named_and_nothing_else(part: str) -> None:
    named = [rule for rule in rules("narrow policies", part, "egress") if "to" in rule]
    assert named == [{"to": [MODELS]}]


def test_the_migration_reaches_the_database_alone_and_nobody_reaches_it() -> None:
    assert ports(rules("needed", "migrate", "egress")) == DNS | DATABASE
    assert [rule for rule in rules("needed", "migrate", "egress") if "to" in rule] == []
    assert rules("needed", "migrate", "ingress") == []


def test_evaluation_reaches_models_and_needs_no_other_port() -> None:
    egress = rules("evaluation", "evaluation", "egress")
    assert ports(egress) == DNS
    assert ANY_POD in [peer for rule in egress for peer in rule.get("to", [])]


def test_everybody_reaches_an_api_of_which_nothing_is_said_and_pods_scrape_workers() -> None:
    assert peers(rules("needed", "api", "ingress")) == [None]
    assert peers(rules("needed", "worker", "ingress")) == [ANY_POD]


def test_the_api_is_reached_by_those_who_are_named_and_by_who_scrapes_it() -> None:
    assert peers(rules("narrow policies", "api", "ingress")) == [PEER, SCRAPER]
    assert peers(rules("narrow policies", "worker", "ingress")) == [SCRAPER]


def test_no_rule_opens_an_api_to_others_than_those_who_are_named() -> None:
    assert peers(rules("an API for some, its metrics for no others", "api", "ingress")) == [PEER]


def test_the_one_pod_of_evaluation_keeps_its_two_ports_apart() -> None:
    closed = chart.documents({**chart.EVALUATION, "networkPolicy": {"apiFrom": [PEER], "metricsFrom": [SCRAPER]}})
    ingress = only(closed, "NetworkPolicy", "-evaluation")["spec"]["ingress"]
    assert peers(ingress, "http") == [PEER, SCRAPER]
    assert peers(ingress, "metrics") == [SCRAPER]


@pytest.mark.parametrize(
    ("url", "port"),
    [
        ("postgresql+psycopg://u:p%40ss@db.internal/name", 5432),
        ("postgresql+psycopg://u:secret@db.internal:6432/name?sslmode=require", 6432),
        ("postgresql://u:p:7@[fd00::1]:7432/name", 7432),
        ("postgresql://db/name?application_name=a:9", 5432),
    ],
)
def test_the_database_is_reached_at_the_port_of_its_url(url: str, port: int) -> None:
    found = chart.documents({**NEEDED, "database": {"url": url}})
    for part in ("api", "worker", "migrate"):
        assert port in ports(only(found, "NetworkPolicy", f"-{part}")["spec"]["egress"])


def test_behind_an_existing_secret_the_port_is_the_value_or_the_usual_one() -> None:
    assert ports(rules("existing secrets", "api", "egress")) == DNS | DATABASE | {6379}
    moved = chart.documents({**chart.EXISTING, "networkPolicy": {"databasePort": 6432, "redisPort": 7000}})
    assert ports(only(moved, "NetworkPolicy", "-api")["spec"]["egress"]) == DNS | {6432, 7000}
