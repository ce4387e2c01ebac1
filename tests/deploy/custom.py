"""Schemas of the documents that Kubernetes itself does not know: the fields that the chart uses, and no others.

As the Prometheus Operator (monitoring.coreos.com/v1) and KEDA (keda.sh/v1alpha1) name them. A field written wrongly is
pruned or refused by a cluster, and found here.
"""

from collections.abc import Mapping
from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string", "minLength": 1}
DURATION: Schema = {"type": "string", "pattern": "^[0-9]+(ms|s|m|h|d)$"}
TEXTS: Schema = {"type": "object", "additionalProperties": {"type": "string"}}
COUNT: Schema = {"type": "integer", "minimum": 0}


def exactly(required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    """An object of these fields."""
    properties = {**required, **(optional or {})}
    return {"type": "object", "required": list(required), "properties": properties, "additionalProperties": False}


def many(item: Schema) -> Schema:
    """At least one."""
    return {"type": "array", "minItems": 1, "items": item}


def document(version: str, kind: str, spec: Schema) -> Schema:
    """A whole document."""
    metadata = exactly({"name": {**TEXT, "maxLength": 63}, "labels": TEXTS})
    return exactly({"apiVersion": {"const": version}, "kind": {"const": kind}, "metadata": metadata, "spec": spec})


_ENDPOINT = exactly(
    {"port": TEXT, "path": TEXT, "interval": DURATION},
    {
        "relabelings": many(exactly({"targetLabel": TEXT, "replacement": TEXT})),
        "authorization": exactly({"credentials": exactly({"name": TEXT, "key": TEXT})}),
    },
)
_SELECTOR = exactly({"matchLabels": TEXTS})
_ALERT = exactly({"alert": TEXT, "expr": TEXT, "for": DURATION, "labels": TEXTS, "annotations": TEXTS})
_RULE: Schema = {"oneOf": [exactly({"record": TEXT, "expr": TEXT}), _ALERT]}
_TRIGGER = exactly({"type": {"const": "prometheus"}, "metadata": TEXTS}, {"authenticationRef": exactly({"name": TEXT})})
_SCALE_DOWN = exactly({"scaleDown": exactly({"stabilizationWindowSeconds": COUNT})})

OPERATOR, KEDA = "monitoring.coreos.com/v1", "keda.sh/v1alpha1"
SCHEMAS: dict[str, Schema] = {
    "ServiceMonitor": document(
        OPERATOR, "ServiceMonitor", exactly({"selector": _SELECTOR, "endpoints": many(_ENDPOINT)})
    ),
    "PodMonitor": document(
        OPERATOR, "PodMonitor", exactly({"selector": _SELECTOR, "podMetricsEndpoints": many(_ENDPOINT)})
    ),
    "PrometheusRule": document(
        OPERATOR, "PrometheusRule", exactly({"groups": many(exactly({"name": TEXT, "rules": many(_RULE)}))})
    ),
    "ScaledObject": document(
        KEDA,
        "ScaledObject",
        exactly(
            {
                "scaleTargetRef": exactly({"name": TEXT}),
                "minReplicaCount": COUNT,
                "maxReplicaCount": COUNT,
                "pollingInterval": COUNT,
                "advanced": exactly({"horizontalPodAutoscalerConfig": exactly({"behavior": _SCALE_DOWN})}),
                "triggers": many(_TRIGGER),
            }
        ),
    ),
}
