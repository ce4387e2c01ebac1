"""A real Prometheus over targets of a test's own, asked through its HTTP API; and the programs that it takes."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml

from service.cli.ports import free_port
from service.cli.servers import answers
from tests.support.stack import wait_for

ROOT = Path(__file__).parents[2]
MONITORING = ROOT / "helm" / "proofhouse" / "monitoring"

Sample = dict[str, Any]
"""As Prometheus gives it: `metric`, and `value` or `values`, pairs of a time and a number as text."""


def program(name: str) -> str:
    """Where `prometheus`, `promtool` or `jq` is. A test without it is skipped, or fails where it must not be."""
    found = shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", ""), "/usr/bin")))
    if found:
        return found
    package = "jq" if name == "jq" else "prometheus"
    missing = f"{name} is not installed; Debian's package `{package}` has it"
    if os.environ.get("PROOFHOUSE_REQUIRE_PROMETHEUS") == "1":
        pytest.fail(missing)
    pytest.skip(missing)


def promtool(*arguments: str, stdin: str = "") -> str:
    """Run promtool, which must find nothing to complain of; gives what it prints."""
    ended = subprocess.run(  # noqa: S603 - our own files
        [program("promtool"), *arguments], input=stdin, capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout + ended.stderr
    return ended.stdout


class Prometheus:
    """A running server. Times are seconds since the epoch."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._client = httpx2.Client(base_url=f"{url}/api/v1/", trust_env=False, timeout=10)

    def at(self, query: str, time: float | None = None) -> list[Sample]:
        """The query's series at a moment; now for None."""
        found: list[Sample] = self._get("query", query=query, **({} if time is None else {"time": time}))["result"]
        return found

    def between(self, query: str, start: float, end: float) -> list[Sample]:
        """The query's series, a value a second."""
        found: list[Sample] = self._get("query_range", query=query, start=start, end=end, step=1)["result"]
        return found

    def label_values(self, label: str, selector: str) -> list[str]:
        """What Grafana's `label_values` gives."""
        found: list[str] = self._get(f"label/{label}/values", **{"match[]": selector})
        return found

    def rules(self) -> list[dict[str, Any]]:
        """All rules, with the health of their last evaluation."""
        return [rule for group in self._get("rules")["groups"] for rule in group["rules"]]

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def _get(self, path: str, **parameters: Any) -> Any:
        response = self._client.get(path, params=parameters)
        assert response.status_code == 200, f"{parameters}: {response.text}"
        return response.json()["data"]


@contextmanager
def running(targets: Mapping[str, list[str]]) -> Iterator[Prometheus]:
    """A server with our configuration, but that each of its scrape jobs has these targets, scraped every second."""
    port = free_port("127.0.0.1", 0, "--port")
    with tempfile.TemporaryDirectory(prefix="proofhouse-prometheus-") as folder:
        config = Path(folder) / "prometheus.yml"
        config.write_text(yaml.safe_dump(_config(targets)))
        listen = f"--web.listen-address=127.0.0.1:{port}"
        files = (f"--config.file={config}", f"--storage.tsdb.path={folder}/data", "--log.level=warn")
        with (Path(folder) / "log").open("w") as log:
            process = subprocess.Popen([program("prometheus"), listen, *files], stderr=log)  # noqa: S603 - as above
        url = f"http://127.0.0.1:{port}"
        try:
            wait_for(lambda: answers(f"{url}/-/ready"), 40, "Prometheus")
            server = Prometheus(url)
            yield server
            server.close()
        finally:
            process.terminate()
            process.wait(20)


def _config(targets: Mapping[str, list[str]]) -> dict[str, Any]:
    config: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / "prometheus.yml").read_text())
    assert {job["job_name"] for job in config["scrape_configs"]} == set(targets)
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["rule_files"] = [str(MONITORING / "rules.yaml")]
    config["scrape_configs"] = [
        {"job_name": name, "static_configs": [{"targets": found}]} for name, found in targets.items()
    ]
    return config
