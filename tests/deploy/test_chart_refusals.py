"""What the chart refuses: combinations that can't work with a sentence, and values that it does not know."""

import json
from typing import Any

import pytest
from helm_python import HelmRenderError, HelmValuesError

from tests.deploy import chart, values_table
from tests.deploy.chart import EVALUATION, KEDA, NEEDED, render

REFUSED: dict[str, tuple[chart.Document, str]] = {
    "no secret key": ({**NEEDED, "secretKey": {}}, "There is no secret key: set secretKey.existingSecret"),
    "no database": ({**NEEDED, "database": {}}, "There is no database: set database.existingSecret"),
    "no Redis": ({**NEEDED, "redis": {}}, "There is no Redis: set redis.existingSecret"),
    "a secret twice": (
        {**NEEDED, "secretKey": {"value": chart.KEY, "existingSecret": "other"}},
        "secretKey.value and secretKey.existingSecret are both set",
    ),
    "a database twice": (
        {**NEEDED, "database": {"url": "postgresql://db/a", "existingSecret": "other"}},
        "database.url and database.existingSecret are both set",
    ),
    "SQLite with replicas": (
        {**NEEDED, "database": {"url": "sqlite:////data/a.db"}},
        "database.url is SQLite, a file on one machine",
    ),
    "evaluation with a database": (
        {**EVALUATION, "database": NEEDED["database"]},
        "evaluation.enabled brings SQLite and Valkey of its own",
    ),
    "evaluation, scaled": ({**EVALUATION, "workers": KEDA}, "evaluation.enabled runs one pod"),
    "KEDA with HPA": (
        {**NEEDED, "workers": {**KEDA, "hpa": {"enabled": True}}},
        "workers.hpa and workers.keda are both enabled",
    ),
    "KEDA without Prometheus": (
        {**NEEDED, "workers": {"keda": {"enabled": True}}},
        "set workers.keda.prometheusUrl",
    ),
    "a least above the most": (
        {**NEEDED, "api": {"hpa": {"enabled": True, "minReplicas": 9}}},
        "api.hpa.minReplicas is more than api.hpa.maxReplicas",
    ),
    "closed metrics without a key": (
        {**NEEDED, "metricsPublic": False, "monitoring": {"serviceMonitor": True}},
        "metricsPublic is false, so Prometheus needs a key",
    ),
    "an API closed to who scrapes it": (
        {**NEEDED, "monitoring": {"serviceMonitor": True}, "networkPolicy": {"apiFrom": [chart.PEER]}},
        "set networkPolicy.metricsFrom to where Prometheus runs",
    ),
    "a database behind a port that is not let through": (
        {**NEEDED, "database": {"url": "postgresql://u@db:6432/a"}, "networkPolicy": {"databasePort": 5432}},
        "database.url names port 6432, but networkPolicy.databasePort lets 5432 through",
    ),
    "Redis behind a port that is not let through": (
        {**NEEDED, "networkPolicy": {"redisPort": 6379}},
        "redis.url names port 6380, but networkPolicy.redisPort lets 6379 through",
    ),
    "SQLite by a variable": (
        {**NEEDED, "extraEnv": [{"name": "PROOFHOUSE_DATABASE_URL", "value": "sqlite:////data/a.db"}]},
        "extraEnv sets PROOFHOUSE_DATABASE_URL, which the chart sets itself: set database instead",
    ),
    "no metrics where the probes ask": (
        {**NEEDED, "extraEnv": [{"name": "PROOFHOUSE_WORKER_METRICS_PORT", "value": "0"}]},
        "extraEnv sets PROOFHOUSE_WORKER_METRICS_PORT, which the chart sets itself",
    ),
    "an API by CPU that requests none": (
        {**NEEDED, "api": {"hpa": {"enabled": True}, "resources": {"requests": {"cpu": None}}}},
        "api.hpa is enabled, but api.resources.requests has no cpu",
    ),
    "workers by CPU that request none": (
        {**NEEDED, "workers": {"hpa": {"enabled": True}, "resources": {"requests": {"cpu": None}}}},
        "workers.hpa is enabled, but workers.resources.requests has no cpu",
    ),
    "a network that is an address": (
        {**NEEDED, "allowedNetworks": ["192.168.7.0/24", "10.0.0.1/8"]},
        "allowedNetworks has 10.0.0.1/8, whose address has bits beyond the /8",
    ),
    "a network beyond its address": ({**NEEDED, "allowedNetworks": ["10.0.0.0/33"]}, "allowedNetworks has 10.0.0.0/33"),
    "evaluation with replicas": ({**EVALUATION, "workers": {"replicas": 3}}, "evaluation.enabled runs one pod"),
    "an ingress without a host": ({**NEEDED, "ingress": {"enabled": True}}, "set ingress.host"),
}

UNKNOWN: dict[str, chart.Document] = {
    "a name at the top": {"replicas": 3},
    "a name further down": {"api": {"replica": 3}},
    "a number that is a word": {"api": {"replicas": "three"}},
    "no worker": {"workers": {"replicas": 0}},
    "a grace too short to hand back a batch": {"workers": {"terminationGracePeriodSeconds": 30}},
    "a key that is none": {"secretKey": {"value": "secret"}},
    "a database of another kind": {"database": {"url": "mysql://db/a"}},
    "a socket for Redis": {"redis": {"url": "unix:///redis.sock"}},
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_work_is_refused_with_a_sentence(name: str) -> None:
    values, sentence = REFUSED[name]
    with pytest.raises(HelmRenderError) as refusal:
        render(values)
    assert sentence in str(refusal.value)


@pytest.mark.parametrize("name", UNKNOWN)
def test_the_schema_refuses(name: str) -> None:
    changed: dict[str, Any] = {**NEEDED, **UNKNOWN[name]}
    with pytest.raises(HelmValuesError):
        render(changed)


def test_every_value_is_described() -> None:
    undescribed = [path for path, _, description in values_table.rows() if not description.endswith(".")]
    assert undescribed == []


def test_the_schema_knows_the_values_of_the_chart_and_no_others() -> None:
    schema = json.loads((chart.CHART / "values.schema.json").read_text())
    assert {path for path, _, _ in values_table.rows()} == set(values_table.described(schema)) - {"global"}


def test_the_table_in_the_readme_is_that_of_the_values() -> None:
    """`python -m tests.deploy.values_table` writes it."""
    assert values_table.table() in (chart.CHART / "README.md").read_text()
