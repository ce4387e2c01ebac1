"""What the chart renders to: accepted by Kubernetes' own schemas, restricted, and in keeping with the service."""

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import helm_python
import kubernetes_validate
import pytest
import yaml
from cryptography.fernet import Fernet
from kubernetes_validate import utils

from service import gunicorn_conf
from service.app import create_app
from service.settings import Settings
from tests.deploy import chart
from tests.deploy.chart import VALUES, containers, of, only, pods
from tests.unit.test_settings import REQUIRED, Recorder
from workers.__main__ import STOP_SECONDS

SWEEPER_STOP_SECONDS = 5
NOT_CORE = {"ServiceMonitor", "PodMonitor", "PrometheusRule", "ScaledObject"}
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
    given = [one for name in VALUES for one in of(name) if one["kind"] not in NOT_CORE]
    for text in {json.dumps(one, sort_keys=True) for one in given}:
        kubernetes_validate.validate(json.loads(text), version, strict=True)


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


def test_workers_may_take_as_long_to_stop_as_they_do() -> None:
    """A worker hands back what it holds, and then its sweeper ends."""
    worker = only(of("needed"), "Deployment", "-worker")["spec"]["template"]["spec"]
    assert worker["terminationGracePeriodSeconds"] > STOP_SECONDS + SWEEPER_STOP_SECONDS
    least = chart._loaded().schema["properties"]["workers"]["properties"]["terminationGracePeriodSeconds"]["minimum"]  # type: ignore[index]
    assert least >= STOP_SECONDS + SWEEPER_STOP_SECONDS


def test_the_api_may_finish_requests_under_way() -> None:
    api = only(of("needed"), "Deployment", "-api")["spec"]["template"]["spec"]
    waiting = api["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert api["terminationGracePeriodSeconds"] > waiting + gunicorn_conf.graceful_timeout


def test_the_database_is_upgraded_before_anything_starts_with_a_secret_that_is_there_by_then() -> None:
    job, secret = (only(of("needed"), kind, "-migrate") for kind in ("Job", "Secret"))
    hooks = [each["metadata"]["annotations"] for each in (secret, job)]
    assert {hook["helm.sh/hook"] for hook in hooks} == {"pre-install,pre-upgrade"}
    assert int(hooks[0]["helm.sh/hook-weight"]) < int(hooks[1]["helm.sh/hook-weight"])
    assert job["spec"]["template"]["spec"]["containers"][0]["args"] == ["db", "upgrade"]


def test_existing_secrets_leave_nothing_secret_in_the_release() -> None:
    assert not [one for one in of("existing secrets") if one["kind"] == "Secret"]


def test_what_is_scaled_by_others_has_no_number_of_its_own() -> None:
    for name in ("api", "worker"):
        assert "replicas" not in only(of("both scaled"), "Deployment", f"-{name}")["spec"]
        assert only(of("needed"), "Deployment", f"-{name}")["spec"]["replicas"] == 2


def test_keda_counts_busy_workers_and_waiting_tasks() -> None:
    scaled = only(of("workers by queue, with a key"), "ScaledObject")["spec"]
    [trigger] = scaled["triggers"]
    assert trigger["type"] == "prometheus"
    assert trigger["metadata"]["ignoreNullValues"] == "false"
    assert trigger["authenticationRef"] == {"name": "prometheus"}
    of_this = 'namespace="safety",service="trial-proofhouse"'
    assert trigger["metadata"]["query"] == (
        f'max(proofhouse_queue_depth{{{of_this}}}) + max(proofhouse_workers{{{of_this},state="busy"}})'
    )
    assert scaled["scaleTargetRef"]["name"] == only(of("workers by queue"), "Deployment", "-worker")["metadata"]["name"]


def test_monitors_scrape_the_named_ports_and_carry_the_labels_by_which_they_are_chosen() -> None:
    service = only(of("monitoring"), "ServiceMonitor")
    pod = only(of("monitoring"), "PodMonitor")
    [endpoint], [worker] = service["spec"]["endpoints"], pod["spec"]["podMetricsEndpoints"]
    assert (endpoint["port"], worker["port"]) == ("http", "metrics")
    assert [each["relabelings"][0]["replacement"] for each in (endpoint, worker)] == [
        "proofhouse-api",
        "proofhouse-worker",
    ]
    assert {each["metadata"]["labels"]["release"] for each in (service, pod)} == {"prometheus"}


def test_rules_and_dashboards_are_the_files_beside_the_chart() -> None:
    rules = only(of("monitoring"), "PrometheusRule")
    assert rules["spec"]["groups"]
    dashboards = only(of("monitoring"), "ConfigMap", "-dashboards")
    assert dashboards["metadata"]["labels"]["grafana_dashboard"] == "1"
    written = {path.name: json.loads(path.read_text()) for path in chart.CHART.glob("monitoring/dashboards/*.json")}
    assert {name: json.loads(text) for name, text in dashboards["data"].items()} == written != {}


def test_evaluation_is_one_pod_that_needs_nothing_else() -> None:
    [pod] = pods(of("evaluation"))
    assert [container["name"] for container in containers(pod)] == ["migrate", "valkey", "api", "worker"]
    assert only(of("evaluation"), "StatefulSet")["spec"]["replicas"] == 1


def test_the_ingress_leads_to_the_api_and_not_to_its_metrics() -> None:
    [rule] = only(of("ingress"), "Ingress")["spec"]["rules"]
    paths = {path["path"] for path in rule["http"]["paths"]}
    assert "/v1" in paths
    assert not {path for path in paths if "/metrics".startswith(path)}


def test_workers_reach_models_but_not_where_clouds_keep_credentials() -> None:
    egress = only(of("needed"), "NetworkPolicy", "-worker")["spec"]["egress"]
    blocks = [peer["ipBlock"] for rule in egress for peer in rule.get("to", []) if "ipBlock" in peer]
    assert {"cidr": "0.0.0.0/0", "except": ["169.254.0.0/16"]} in blocks


def test_a_long_release_name_still_makes_names_that_kubernetes_takes() -> None:
    for each in chart.documents(VALUES["monitoring"], release="a" * 53):
        assert len(each["metadata"]["name"]) <= 63


@every_set
def test_the_notes_lead_to_a_key(name: str) -> None:
    notes = chart.render(VALUES[name])["proofhouse/templates/NOTES.txt"]
    assert "proofhouse keys create" in notes


def test_the_values_that_the_page_on_deployment_shows_work() -> None:
    page = (chart.CHART.parents[1] / "docs" / "deployment.md").read_text()
    [shown] = re.findall(r"<!-- values.yaml -->\n```yaml\n(.*?)```", page, re.DOTALL)
    kinds = {one["kind"] for one in chart.documents(yaml.safe_load(shown))}
    assert {"ScaledObject", "HorizontalPodAutoscaler", "Ingress", "PrometheusRule", "Job"} <= kinds
