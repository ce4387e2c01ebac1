"""What the chart renders to: accepted by Kubernetes' own schemas, restricted, and in keeping with the service."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import helm_python
import jsonschema
import kubernetes_validate
import pytest
from cryptography.fernet import Fernet
from kubernetes_validate import utils

from service.app import create_app
from service.settings import Settings, log_options
from tests.deploy import chart
from tests.deploy.chart import VALUES, containers, of, only, pods
from tests.deploy.custom import SCHEMAS
from tests.unit.test_settings import REQUIRED, Recorder

every_set = pytest.mark.parametrize("name", VALUES)


@pytest.fixture(scope="module", autouse=True)
def _schemas_read_once() -> Iterator[None]:
    """The library reads two megabytes of schemas for each document."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(utils, "schema_contents", cache(utils.schema_contents))
        yield


@cache
def read_names() -> set[str]:
    environ = Recorder(REQUIRED)
    Settings.from_env(environ)
    log_options(environ)
    return environ.asked


@cache
def routes() -> set[str]:
    settings = Settings("sqlite://", "redis://localhost", (Fernet.generate_key().decode(),))
    return {str(rule) for rule in create_app(settings).url_map.iter_rules()}


@every_set
def test_lint_finds_no_fault(name: str) -> None:
    found = helm_python.lint(chart.CHART, VALUES[name])
    severe = [message for message in found["messages"] if "icon" not in message["error"]]
    assert (severe, found["errors"]) == ([], [])


@pytest.mark.parametrize("version", ["1.30", "1.37"])
def test_kubernetes_accepts_every_document(version: str) -> None:
    """Strictly: no field that it does not know. Each different document once, for that takes long."""
    given = [one for name in VALUES for one in of(name) if one["kind"] not in SCHEMAS]
    for text in {json.dumps(one, sort_keys=True) for one in given}:
        kubernetes_validate.validate(json.loads(text), version, strict=True)


def test_the_operator_and_keda_know_every_field_of_their_documents() -> None:
    given = [one for name in VALUES for one in of(name) if one["kind"] in SCHEMAS]
    assert {one["kind"] for one in given} == set(SCHEMAS)
    for one in given:
        jsonschema.validate(one, SCHEMAS[one["kind"]])


@pytest.mark.parametrize(
    ("kind", "name", "value"), [("PodMonitor", "endpoints", []), ("ScaledObject", "minReplicaCount", "1")]
)
def test_their_schemas_refuse_what_they_would(kind: str, name: str, value: object) -> None:
    [one] = [one for each in ("monitoring", "workers by queue") for one in of(each) if one["kind"] == kind]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**one, "spec": {**one["spec"], name: value}}, SCHEMAS[kind])


def test_kubernetes_schemas_refuse_what_it_would() -> None:
    service = only(of("needed"), "Service")
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate({**service, "spec": {**service["spec"], "prots": []}}, "1.30", strict=True)


@every_set
def test_no_two_documents_have_the_same_name(name: str) -> None:
    names = [(one["kind"], one["metadata"]["name"]) for one in of(name)]
    assert sorted(names) == sorted(set(names))


@every_set
def test_every_pod_is_restricted(name: str) -> None:
    for pod in pods(of(name)):
        assert pod["spec"]["automountServiceAccountToken"] is False
        security = pod["spec"]["securityContext"]
        assert security["runAsNonRoot"] is True
        assert security["runAsUser"] == 65532
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in containers(pod):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert set(container["resources"]) == {"limits", "requests"}
            assert "/tmp" in {mount["mountPath"] for mount in container["volumeMounts"]}  # noqa: S108


@every_set
def test_every_variable_is_one_that_the_settings_read(name: str) -> None:
    given = {
        variable["name"]
        for pod in pods(of(name))
        for container in containers(pod)
        for variable in container.get("env", [])
    }
    assert {variable for variable in given if variable.startswith("PROOFHOUSE_")} <= read_names()
    assert set(REQUIRED) <= given


@every_set
def test_every_secret_that_the_chart_refers_to_is_its_own_or_one_that_was_named(name: str) -> None:
    own = {(one["metadata"]["name"], key) for one in of(name) if one["kind"] == "Secret" for key in one["stringData"]}
    referred = {
        (variable["valueFrom"]["secretKeyRef"]["name"], variable["valueFrom"]["secretKeyRef"]["key"])
        for pod in pods(of(name))
        for container in containers(pod)
        for variable in container.get("env", [])
        if "valueFrom" in variable
    }
    assert not {(secret, key) for secret, key in referred - own if not secret.startswith("our-")}


@every_set
def test_probes_ask_for_what_answers(name: str) -> None:
    for pod in pods(of(name)):
        for container in containers(pod):
            probes = {key: value for key, value in container.items() if key.endswith("Probe")}
            assert set(probes) == (
                set() if container["name"] == "migrate" else {"startupProbe", "livenessProbe", "readinessProbe"}
            )
            gets = [probe["httpGet"] for probe in probes.values() if "httpGet" in probe]
            assert {get["path"] for get in gets} <= routes()
            assert {get["port"] for get in gets} <= {port["name"] for port in container.get("ports", [])}


@every_set
def test_services_monitors_budgets_and_policies_find_their_pods(name: str) -> None:
    labels = [pod["metadata"]["labels"] for pod in pods(of(name))]
    labels += [one["metadata"]["labels"] for one in of(name) if one["kind"] == "Service"]
    for selector in _selectors(of(name)):
        assert [each for each in labels if selector.items() <= each.items()], selector


def _selectors(documents: tuple[chart.Document, ...]) -> Iterator[dict[str, str]]:
    for one in documents:
        spec: dict[str, Any] = one.get("spec", {})
        if one["kind"] == "Service":
            yield spec["selector"]
        elif one["kind"] == "NetworkPolicy":
            yield spec["podSelector"]["matchLabels"]
        elif "selector" in spec:
            yield spec["selector"]["matchLabels"]


@every_set
def test_the_notes_lead_to_a_key(name: str) -> None:
    notes = chart.render(VALUES[name])["proofhouse/templates/NOTES.txt"]
    assert "proofhouse keys create" in notes
