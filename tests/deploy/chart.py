"""The chart, rendered in this process without a cluster, and the value sets that it is rendered with."""

from functools import cache
from pathlib import Path
from typing import Any

import helm_python
import yaml

CHART = Path(__file__).parents[2] / "helm" / "proofhouse"
RELEASE, NAMESPACE = "trial", "safety"
KEY = "A" * 43 + "="

Document = dict[str, Any]

NEEDED: Document = {
    "secretKey": {"value": KEY},
    "database": {"url": "postgresql+psycopg://proofhouse:p%40ss@db/proofhouse"},
    "redis": {"url": "rediss://:secret@redis:6380/0"},
}
EXISTING: Document = {name: {"existingSecret": f"our-{name.lower()}"} for name in NEEDED}
EVALUATION: Document = {"secretKey": {"value": KEY}, "evaluation": {"enabled": True}}
MONITORING: Document = {
    "monitoring": {
        **dict.fromkeys(("serviceMonitor", "podMonitor", "prometheusRule", "dashboards"), True),
        "labels": {"release": "prometheus"},
    }
}
KEDA: Document = {"keda": {"enabled": True, "prometheusUrl": "http://prometheus.monitoring:9090"}}
PEER: Document = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress"}}}
MODELS: Document = {"ipBlock": {"cidr": "10.20.0.0/16"}}
SCRAPER: Document = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}

VALUES: dict[str, Document] = {
    "needed": NEEDED,
    "existing secrets": EXISTING,
    "a secret of each kind": {**EXISTING, "database": NEEDED["database"]},
    "evaluation": EVALUATION,
    "evaluation, watched": {**EVALUATION, **MONITORING},
    "evaluation on a class of storage": {**EVALUATION, "evaluation": {"enabled": True, "storageClassName": "fast"}},
    "monitoring": {**NEEDED, **MONITORING},
    "monitoring, with published runbooks": {
        **NEEDED,
        "monitoring": {"prometheusRule": True, "runbookUrl": "https://docs.example/runbooks"},
    },
    "metrics with a key": {
        **NEEDED,
        "metricsPublic": False,
        "monitoring": {"serviceMonitor": True, "apiKeySecret": "reader"},
    },
    "workers by queue": {**NEEDED, "workers": KEDA},
    "workers by queue, with a key": {**NEEDED, "workers": {"keda": {**KEDA["keda"], "authentication": "prometheus"}}},
    "workers by CPU": {**NEEDED, "workers": {"hpa": {"enabled": True}}},
    "API by CPU": {**NEEDED, "api": {"hpa": {"enabled": True, "minReplicas": 3, "maxReplicas": 3}}},
    "both scaled": {**EXISTING, "api": {"hpa": {"enabled": True}}, "workers": KEDA},
    "one of each": {**NEEDED, "api": {"replicas": 1}, "workers": {"replicas": 1}},
    "no policies": {**NEEDED, "networkPolicy": {"enabled": False}, "podDisruptionBudget": {"enabled": False}},
    "narrow policies": {
        **NEEDED,
        "networkPolicy": {"apiFrom": [PEER], "metricsFrom": [SCRAPER], "modelsTo": [{"to": [MODELS]}]},
    },
    "an API for some, its metrics for no others": {**NEEDED, "networkPolicy": {"apiFrom": [PEER]}},
    "ingress": {
        **NEEDED,
        "ingress": {"enabled": True, "host": "proofhouse.example", "tlsSecret": "tls", "className": "nginx"},
    },
    "ingress with a certificate of its controller": {
        **NEEDED,
        "ingress": {"enabled": True, "host": "proofhouse.example", "annotations": {"a/b": "c"}},
    },
    "another image": {
        **NEEDED,
        "image": {
            "repository": "registry.internal/proofhouse",
            "digest": "sha256:" + "0" * 64,
            "pullSecrets": ["pull"],
        },
    },
    "placed": {
        **NEEDED,
        "nodeSelector": {"pool": "safety"},
        "tolerations": [{"key": "safety", "operator": "Exists"}],
        "podAnnotations": {"team": "safety"},
        "serviceAccountName": "proofhouse",
        "fullnameOverride": "ph",
        "allowedNetworks": ["10.40.8.0/24", "fd00:40::/64"],
        "extraEnv": [{"name": "PROOFHOUSE_LOG_LEVEL", "value": "warning"}],
        "service": {"type": "LoadBalancer", "port": 8080},
    },
}


@cache
def _loaded() -> helm_python.Chart:
    return helm_python.Chart.load(CHART)


def render(values: Document, release: str = RELEASE) -> dict[str, str]:
    """The files that the chart renders to, by path.

    Raises:
        HelmError: the values are refused; its text says why.
    """
    return _loaded().render(values, name=release, namespace=NAMESPACE)


def documents(values: Document, release: str = RELEASE) -> list[Document]:
    """What would be sent to the cluster."""
    texts = [text for path, text in render(values, release).items() if path.endswith(".yaml")]
    return [one for text in texts for one in yaml.load_all(text, yaml.CSafeLoader) if one]


@cache
def of(name: str) -> tuple[Document, ...]:
    """The documents of one of VALUES."""
    return tuple(documents(VALUES[name]))


def pods(given: tuple[Document, ...] | list[Document]) -> list[Document]:
    """The pod templates among documents."""
    return [one["spec"]["template"] for one in given if one["kind"] in {"Deployment", "StatefulSet", "Job"}]


def containers(pod: Document) -> list[Document]:
    """All containers of a pod template, also those that start first."""
    return [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]


def only(given: tuple[Document, ...] | list[Document], kind: str, name: str = "") -> Document:
    """The only document of a kind whose name ends like this."""
    [found] = [each for each in given if each["kind"] == kind and each["metadata"]["name"].endswith(name)]
    return found
