"""compose.yaml: each service is restricted, waits for what it needs, and names only what is there."""

import itertools
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from service import tracing
from tests.deploy.dockerfile import ROOT
from tests.deploy.test_chart import read_names
from workers.__main__ import STOP_SECONDS

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("migrate", "api", "worker")
CONDITIONS = {"service_healthy", "service_completed_successfully"}
every_service = pytest.mark.parametrize("name", SERVICES)


def mounts() -> Iterator[tuple[str, str]]:
    """What is mounted, and where."""
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            source, target, *_ = volume.split(":")
            yield source, target


def seconds(duration: str) -> int:
    return int(duration.removesuffix("s"))


def test_the_parts_are_those_of_a_deployment() -> None:
    assert set(SERVICES) == {"postgres", "valkey", "migrate", "api", "worker", "prometheus", "grafana"}


@every_service
def test_a_service_is_not_root_and_writes_only_where_it_must(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert name in OURS or re.fullmatch(r"[1-9]\d*:\d+", service["user"])


def test_who_only_watches_reaches_neither_the_database_nor_the_queue() -> None:
    networks = {name: set(service.get("networks", ["default"])) for name, service in SERVICES.items()}
    for watching, held in itertools.product(("prometheus", "grafana"), ("postgres", "valkey")):
        assert not networks[watching] & networks[held]
    for watched, other in itertools.product(("api", "worker"), networks):
        assert networks[watched] & networks[other]


@every_service
def test_a_service_can_be_seen_to_work_unless_it_ends_by_itself(name: str) -> None:
    check = SERVICES[name].get("healthcheck", {})
    image_has_one = name == "api"
    assert image_has_one or "test" in check or (check == {"disable": True} and SERVICES[name]["restart"] == "no")


@every_service
def test_a_service_waits_for_services_that_can_be_waited_for(name: str) -> None:
    for other, how in SERVICES[name].get("depends_on", {}).items():
        assert how["condition"] in CONDITIONS
        assert (how["condition"] == "service_completed_successfully") == (SERVICES[other].get("restart") == "no")


@pytest.mark.parametrize("name", ["api", "worker"])
def test_api_and_workers_wait_for_the_tables(name: str) -> None:
    assert SERVICES[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


def test_every_path_that_is_mounted_is_there_and_every_volume_declared() -> None:
    sources = {source for source, _ in mounts()}
    paths = {source for source in sources if source.startswith(".")}
    assert {path for path in paths if not (ROOT / path).exists()} == set()
    assert sources - paths == set(COMPOSE["volumes"])


@pytest.mark.parametrize("name", OURS)
def test_every_variable_is_one_that_the_settings_read(name: str) -> None:
    assert set(SERVICES[name]["environment"]) <= read_names() | set(tracing.ENDPOINTS)


def test_every_image_of_others_can_be_pinned() -> None:
    images = {name: service["image"] for name, service in SERVICES.items() if name not in OURS}
    assert {name: re.fullmatch(r"\$\{(\w+)_IMAGE:-.+:.+\}", image) is not None for name, image in images.items()} == (
        dict.fromkeys(images, True)
    )
    [default] = re.findall(r"^ARG PYTHON_IMAGE=(.+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert SERVICES["api"]["build"]["args"] == {"PYTHON_IMAGE": f"${{PYTHON_IMAGE:-{default}}}"}


def test_every_secret_must_be_given_and_nothing_else() -> None:
    used = set(re.findall(r"\$\{(\w+)(:[?-])?", (ROOT / "compose.yaml").read_text()))
    secrets = {(name, ":?") for name in ("POSTGRES_PASSWORD", "PROOFHOUSE_SECRET_KEY", "GRAFANA_ADMIN_PASSWORD")}
    images = {(f"{name}_IMAGE", ":-") for name in ("PYTHON", "POSTGRES", "VALKEY", "PROMETHEUS", "GRAFANA")}
    others = {("PROOFHOUSE_ALLOWED_NETWORKS", ":-"), ("OTEL_EXPORTER_OTLP_ENDPOINT", ":-")}
    assert used == secrets | images | others


def test_ports_are_open_on_this_machine_alone() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert ports
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


def test_what_is_accepted_outlives_a_restart() -> None:
    assert SERVICES["valkey"]["command"][1:3] == ["--appendonly", "yes"]
    assert "noeviction" in SERVICES["valkey"]["command"]
    assert {"/data", "/var/lib/postgresql/data"} <= {target for _, target in mounts()}


def test_workers_may_take_as_long_to_stop_as_they_do() -> None:
    assert seconds(SERVICES["worker"]["stop_grace_period"]) > STOP_SECONDS


def test_our_services_run_the_one_image() -> None:
    assert {SERVICES[name]["image"] for name in OURS} == {f"proofhouse:{version()}"}


def version() -> str:
    found = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert found
    return found[1]


def test_the_chart_is_of_the_same_version() -> None:
    chart = yaml.safe_load((ROOT / "helm/proofhouse/Chart.yaml").read_text())
    assert (chart["version"], chart["appVersion"]) == (version(), version())
