"""The single parts that the chart renders to do what they are there for."""

import ipaddress
import json
import re

import pytest
import yaml

from service import gunicorn_conf
from service.api.problems import MAX_UPLOAD_MIB
from service.api.uploading import UPLOADS
from tests.deploy import chart
from tests.deploy.chart import VALUES, containers, of, only, pods
from workers.__main__ import STOP_SECONDS

SWEEPER_STOP_SECONDS = 5


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


@pytest.mark.parametrize("name", ["needed", "evaluation"])
def test_as_many_uploads_as_can_be_received_at_once_have_room(name: str) -> None:
    [api] = [pod for pod in pods(of(name)) if "api" in {each["name"] for each in containers(pod)}]
    [tmp] = [volume for volume in api["spec"]["volumes"] if volume["name"] == "tmp"]
    mib = int(tmp["emptyDir"]["sizeLimit"].removesuffix("Mi"))
    assert mib >= UPLOADS.places * MAX_UPLOAD_MIB + 512


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
    of_this = 'namespace="safety",release="trial"'
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
    assert [each["relabelings"][1] for each in (endpoint, worker)] == [
        {"targetLabel": "release", "replacement": "trial"}
    ] * 2
    assert {each["metadata"]["labels"]["release"] for each in (service, pod)} == {"prometheus"}


def test_rules_and_dashboards_are_the_files_beside_the_chart() -> None:
    rules = only(of("monitoring"), "PrometheusRule")
    assert rules["spec"]["groups"]
    dashboards = only(of("monitoring"), "ConfigMap", "-dashboards")
    assert dashboards["metadata"]["labels"]["grafana_dashboard"] == "1"
    written = {path.name: json.loads(path.read_text()) for path in chart.CHART.glob("monitoring/dashboards/*.json")}
    assert {name: json.loads(text) for name, text in dashboards["data"].items()} == written != {}


def test_alerts_link_to_the_runbooks_where_they_are_published() -> None:
    def links(name: str) -> set[str]:
        groups = only(of(name), "PrometheusRule")["spec"]["groups"]
        alerts = [rule for group in groups for rule in group["rules"] if "alert" in rule]
        return {alert["annotations"]["runbook_url"].replace(alert["alert"], "NAME") for alert in alerts}

    assert links("monitoring") == {"docs/runbooks/NAME.md"}
    assert links("monitoring, with published runbooks") == {"https://docs.example/runbooks/NAME.md"}


def test_no_network_that_the_pages_show_holds_the_clusters_or_composes_own() -> None:
    own = [ipaddress.ip_network(each) for each in ("10.96.0.0/12", "172.16.0.0/12")]
    root = chart.CHART.parents[1]
    [values] = re.findall(r"^allowedNetworks: \[(.+?)\]", (root / "docs" / "deployment.md").read_text(), re.MULTILINE)
    shown = re.search(r"unless these are named: (\S+)\. ", (root / "compose.yaml").read_text())
    assert shown
    for network in map(ipaddress.ip_network, [*values.split(", "), *shown[1].split(",")]):
        assert not any(network.overlaps(each) for each in own)


def test_evaluation_is_one_pod_that_needs_nothing_else() -> None:
    [pod] = pods(of("evaluation"))
    assert [container["name"] for container in containers(pod)] == ["migrate", "valkey", "api", "worker"]
    assert only(of("evaluation"), "StatefulSet")["spec"]["replicas"] == 1


def test_the_ingress_leads_to_the_api_and_not_to_its_metrics() -> None:
    [rule] = only(of("ingress"), "Ingress")["spec"]["rules"]
    paths = {path["path"] for path in rule["http"]["paths"]}
    assert "/v1" in paths
    assert not {path for path in paths if "/metrics".startswith(path)}


def test_a_long_release_name_still_makes_names_that_kubernetes_takes() -> None:
    for each in chart.documents(VALUES["monitoring"], release="a" * 53):
        assert len(each["metadata"]["name"]) <= 63


def test_the_values_that_the_page_on_deployment_shows_work() -> None:
    page = (chart.CHART.parents[1] / "docs" / "deployment.md").read_text()
    [shown] = re.findall(r"<!-- values.yaml -->\n```yaml\n(.*?)```", page, re.DOTALL)
    kinds = {one["kind"] for one in chart.documents(yaml.safe_load(shown))}
    assert {"ScaledObject", "HorizontalPodAutoscaler", "Ingress", "PrometheusRule", "Job"} <= kinds
