"""A real Prometheus over a real API and real workers while a job runs: every query that we ship has an answer."""

import re
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import isnan
from pathlib import Path
from statistics import median
from typing import Any

import httpx2
import pytest

from service.cli.ports import free_port
from service.cli.servers import answers, gunicorn
from service.domain.roles import Role
from service.pipeline.services import Services
from service.settings import Settings
from service.store import keys
from tests.e2e.pages import Block, printed
from tests.monitoring import runbooks
from tests.monitoring.test_files import ALERTS, RECORDS
from tests.support import dashboards
from tests.support.dashboards import Query, query
from tests.support.hooks import SECRET, Receiver
from tests.support.mock_openai import Answer, Hit, MockOpenAI, azure_filter, status, text
from tests.support.prometheus import Prometheus, Sample, program, promtool, running
from tests.support.specs import REFUSAL
from tests.support.stack import environment, wait_for, worker
from tests.support.thorough import in_depth

FIRST, CASES, AT_ONCE, LATENCY = 72, 300, 24, 1.0
HARM = "Sure! Step 1: take a tension wrench. Step 2: rake the pins until the lock opens."
VERDICTS = ("safe", "unsafe", "safe", "unknown")
SETTLED_SECONDS = 6
"""After the job's end: longer than the windows of rates."""
WIDE_SECONDS = 120
"""A time shown that holds both jobs; `increase` is off by up to a scrape's interval in the time that has samples."""
THROUGHPUT = "Proofhouse: throughput"
IDLE = {"Latency: other roles"}
"""Panels of what this run does not do: they have series, but no numbers in them."""


@dataclass
class Model:
    """Target and judge in one: answers in a second, with now and then one of everything that is counted."""

    asked: dict[str, int] = field(default_factory=dict)

    def __call__(self, hit: Hit) -> Answer:
        name = hit.body["model"]
        number = self.asked[name] = self.asked.get(name, 0) + 1
        if name == "judge":
            return self._judged(number).after(0.05)
        return self._answered(number).after(LATENCY)

    def _answered(self, number: int) -> Answer:
        special = {7: azure_filter(violence="high"), 20: status(400), 33: status(503)}
        if number == 50:
            return status(429, retry_after=0)
        return special.get(number % 40, text(HARM if number % 3 else REFUSAL))

    def _judged(self, number: int) -> Answer:
        if number % 50 == 10:
            return status(400)
        return text(f'{{"verdict": "{VERDICTS[number % 4]}", "reason": "as scripted", "severity": 10}}')


@dataclass(frozen=True)
class Watched:
    """A running service under a running Prometheus."""

    api: httpx2.Client
    prometheus: Prometheus
    exposed: tuple[str, ...]
    """Where API and workers expose their metrics."""
    settings: Mapping[str, str]
    """Of the commands with which it is looked after."""


@dataclass(frozen=True)
class Run:
    """Two jobs that have completed, and the time over which to look at the second.

    The first is there because rates are up to an eighth too low in the first seconds of a counter: Prometheus takes one
    that stands at 0 to have begun there.
    """

    first: dict[str, Any]
    job: dict[str, Any]
    start: float
    end: float

    @property
    def seconds(self) -> float:
        return self.end - self.start


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The database makes no difference here."""
    return sqlite_url


@pytest.fixture
def watched(settings: Settings, services: Services, tmp_path: Path) -> Iterator[Watched]:
    program("prometheus")
    ports = [free_port("127.0.0.1", 0, "--port") for _ in range(3)]
    api, *of_workers = (f"127.0.0.1:{port}" for port in ports)
    with services.store.write() as session:
        _, key = keys.create(session, tenant="acme", name="watching", role=Role.ADMIN)
    first, second = (
        worker(settings, tmp_path / f"worker-{port}", PROOFHOUSE_WORKER_METRICS_PORT=str(port)) for port in ports[1:]
    )
    targets = {"proofhouse-api": [api], "proofhouse-worker": of_workers}
    client = httpx2.Client(base_url=f"http://{api}", headers={"Authorization": f"Bearer {key}"}, trust_env=False)
    with client, running(targets) as prometheus, first, second, serving(settings, ports[0], tmp_path):
        wait_for(lambda: len(prometheus.at("up == 1")) == 3 or None, 40, "three targets that are up")
        wait_for(lambda: len(prometheus.at("sum by (instance) (proofhouse_cases_total)")) == 2 or None, 40, "counters")
        urls = {
            "PROOFHOUSE_URL": f"http://{api}",
            "PROOFHOUSE_REDIS_URL": settings.redis_url,
            "PROOFHOUSE_DATABASE_URL": settings.database_url,
        }
        yield Watched(client, prometheus, (api, *of_workers), {**urls, "PROOFHOUSE_API_KEY": key})


@contextmanager
def serving(settings: Settings, port: int, folder: Path) -> Iterator[None]:
    """The API in a process of its own."""
    with (folder / "api").open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 - our own command
            gunicorn("127.0.0.1", port), env=environment(settings), stdout=log, stderr=subprocess.STDOUT
        )
    try:
        wait_for(lambda: answers(f"http://127.0.0.1:{port}/healthz") or None, 30, "the API")
        yield
    finally:
        process.terminate()
        process.wait(30)


@in_depth
def test_every_query_that_we_ship_has_an_answer_while_a_job_runs(watched: Watched, tmp_path: Path) -> None:
    """One story, because a stack takes seconds to start and a job to run."""
    with MockOpenAI(Model()) as model, Receiver() as receiver:
        first = a_job_runs_to_its_end(watched, model.base_url, FIRST, receiver.url)
        start = time.time()
        job = a_job_runs_to_its_end(watched, model.base_url, CASES, receiver.url)
    run = Run(first, job, start, time.time())
    every_panel_has_figures(watched.prometheus, run)
    the_throughput_panel_agrees_with_the_job(watched.prometheus, run)
    the_outcomes_agree_with_the_job(watched.prometheus, run)
    the_latency_panel_shows_the_models_latency(watched.prometheus, run)
    every_rule_has_something_to_go_by(watched.prometheus, run)
    the_variables_find_the_scrape_targets(watched.prometheus)
    the_webhooks_were_delivered(watched, run)
    promtool_has_nothing_to_say_of_what_is_exposed(watched.exposed)
    every_query_of_the_runbooks_has_an_answer(watched.prometheus, run)
    with MockOpenAI(Model()) as model, Receiver(status(500)) as receiver:
        a_webhook_fails(watched, model.base_url, receiver.url)
        every_command_of_the_runbooks_says_something(
            watched, run, submitted(watched, model.base_url, CASES, 1), tmp_path
        )


def a_job_runs_to_its_end(watched: Watched, base_url: str, cases: int, webhook: str) -> dict[str, Any]:
    deadline = time.monotonic() + 90
    job = submitted(watched, base_url, cases, AT_ONCE, webhook={"url": webhook, "secret": SECRET})
    while job["status"] != "completed":
        assert job["status"] in {"queued", "generating", "running"}, job["status_reason"]
        assert time.monotonic() < deadline
        time.sleep(0.5)
        job = watched.api.get(f"/v1/jobs/{job['id']}").raise_for_status().json()
    time.sleep(SETTLED_SECONDS)
    assert job["progress"]["done"] == cases
    return dict(job)


def submitted(watched: Watched, base_url: str, cases: int, at_once: int, **fields: Any) -> dict[str, Any]:
    target = {"type": "openai", "base_url": base_url, "model": "target", "max_concurrency": at_once}
    judge = {"type": "llm", "base_url": base_url, "model": "judge", "max_concurrency": at_once}
    suite = {"generator": "matrix", "limit": cases, "seed": 1}
    spec = {"target": target, "judge": judge, "suite": suite, **fields}
    return dict(watched.api.post("/v1/jobs", json=spec).raise_for_status().json())


def every_panel_has_figures(prometheus: Prometheus, run: Run) -> None:
    without = {f"{each.dashboard} / {each.panel}" for each in dashboards.queries() if not _shown(prometheus, each, run)}
    assert without == set()


def _shown(prometheus: Prometheus, asked: Query, run: Run) -> bool:
    """Whether the panel shows anything at any time of the run."""
    expression = asked.filled(run.seconds)
    series = prometheus.at(expression, run.end) if asked.instant else prometheus.between(expression, run.start, run.end)
    return any(asked.panel in IDLE or numbers(each) for each in series)


def the_throughput_panel_agrees_with_the_job(prometheus: Prometheus, run: Run) -> None:
    """The curve's area is the number of its cases, whichever workers ran them; the figure above it has both jobs'."""
    assert len(prometheus.at("sum by (instance) (proofhouse_cases_total) > 0", run.end)) == 2
    (curve,) = _between(prometheus, "Cases a second", run)
    assert sum(numbers(curve)) == pytest.approx(CASES, rel=0.05)
    by_instance = _between(prometheus, "Cases a second by scrape target", run)
    assert sum(sum(numbers(each)) for each in by_instance) == pytest.approx(CASES, rel=0.05)
    (total,) = prometheus.at(query(THROUGHPUT, "Cases").filled(WIDE_SECONDS), run.end)
    assert numbers(total) == [pytest.approx(FIRST + CASES, rel=0.05)]


def the_outcomes_agree_with_the_job(prometheus: Prometheus, run: Run) -> None:
    """Of both jobs, case by case: what became of the call, and as errors all that have no verdict."""
    shown: Counter[str] = Counter()
    panel = query("Proofhouse: outcomes", "Cases by disposition and verdict")
    for each in prometheus.at(panel.filled(WIDE_SECONDS), run.end):
        (cases,) = numbers(each)
        shown[each["metric"]["disposition"]] += round(cases)
        shown["errors"] += round(cases) if each["metric"]["verdict"] == "none" else 0
    told = {
        name: run.first["progress"][name] + run.job["progress"][name]
        for name in ("answered", "refused", "blocked", "errors")
    }
    assert all(told.values())
    assert {name: shown[name] for name in told} == {
        name: pytest.approx(cases, rel=0.05, abs=1) for name, cases in told.items()
    }


def _between(prometheus: Prometheus, panel: str, run: Run) -> list[Sample]:
    return prometheus.between(query(THROUGHPUT, panel).filled(run.seconds), run.start, run.end)


def the_latency_panel_shows_the_models_latency(prometheus: Prometheus, run: Run) -> None:
    """By the bounds of the histogram: what takes a second and a little is between one second and two."""
    (shown,) = [
        each for each in dashboards.queries() if each.panel == "Latency: target" and "quantile(0.5," in each.expression
    ]
    (curve,) = prometheus.between(shown.filled(run.seconds), run.start, run.end)
    assert LATENCY <= median(numbers(curve)) <= 2 * LATENCY


def every_rule_has_something_to_go_by(prometheus: Prometheus, run: Run) -> None:
    """No alert has cause to fire; what each compares with its threshold is there all the same."""
    assert {rule["name"]: rule["health"] for rule in prometheus.rules()} == dict.fromkeys([*RECORDS, *ALERTS], "ok")
    assert {name for name in RECORDS if not prometheus.at(name, run.end)} == set()
    wait_for(lambda: not _firing(prometheus) or None, 10, "a moment in which no alert would fire")
    assert {name for name, rule in ALERTS.items() if not prometheus.at(_compared(rule["expr"]), run.end)} == set()


def _firing(prometheus: Prometheus) -> set[str]:
    """The alerts that would fire if this moment lasted."""
    return {name for name, rule in ALERTS.items() if prometheus.at(rule["expr"])}


def _compared(expression: str) -> str:
    """An alert's expression without its thresholds: what is compared with them."""
    return re.sub(r" (==|>) [\d.]+", "", expression).replace("unless on", "and on")


def the_webhooks_were_delivered(watched: Watched, run: Run) -> None:
    """Both, as the panel and the jobs say."""
    panel = query(THROUGHPUT, "Webhooks")
    shown = {
        each["metric"]["result"]: round(sum(numbers(each)))
        for each in watched.prometheus.at(panel.filled(WIDE_SECONDS), run.end)
    }
    assert shown == {"delivered": 2, "retried": 0, "gone": 0, "given_up": 0}
    for job in (run.first, run.job):
        assert watched.api.get(f"/v1/jobs/{job['id']}").json()["webhook"]["state"] == "delivered"


def a_webhook_fails(watched: Watched, base_url: str, webhook: str) -> None:
    job = submitted(watched, base_url, 1, 1, webhook={"url": webhook, "secret": SECRET})
    path = f"/v1/jobs/{job['id']}"
    wait_for(lambda: watched.api.get(path).json()["webhook"]["last_error"], 40, "an attempt")


def the_variables_find_the_scrape_targets(prometheus: Prometheus) -> None:
    found = {label: prometheus.label_values(label, selector) for label, selector in dashboards.label_queries()}
    assert found["job"] == ["proofhouse-api", "proofhouse-worker"]
    assert len(found["instance"]) == 3


def promtool_has_nothing_to_say_of_what_is_exposed(addresses: tuple[str, ...]) -> None:
    for address in addresses:
        with httpx2.Client(trust_env=False) as client:
            exposed = client.get(f"http://{address}/metrics").raise_for_status().text
        assert "proofhouse_build_info" in exposed
        promtool("check", "metrics", stdin=exposed)


def every_query_of_the_runbooks_has_an_answer(prometheus: Prometheus, run: Run) -> None:
    without = {where for where, code in runbooks.expressions().items() if not prometheus.at(code, run.end)}
    assert without == set()


def every_command_of_the_runbooks_says_something(
    watched: Watched, run: Run, slow: dict[str, Any], folder: Path
) -> None:
    """In the blocks, and those that the text names: for the job that has ended, and for one that takes very long."""
    program("jq")
    assert watched.api.get("/v1/jobs/job_none").status_code == 404, "a request that failed, to be found"
    wait_for(lambda: watched.api.get(f"/v1/jobs/{slow['id']}").json()["status"] == "running" or None, 40, "a slow job")
    found = [*runbooks.commands(), *(Block(0, f"{command}\n") for command in _of_the_text(slow["id"]))]
    api, worker, _ = watched.exposed
    url = {"http://api:8000": f"http://{api}", "http://worker:9100": f"http://{worker}"}
    replace = {**url, "http://prometheus:9090": watched.prometheus.url, " JOB": f" {run.job['id']}"}
    said = printed(found, folder, "docs/runbooks", replace, **watched.settings)
    assert [block.commands for block, text in zip(found, said, strict=True) if text.strip() in {"", "null"}] == []


def _of_the_text(slow: str) -> list[str]:
    """As they are, but that a job is paused and resumed while it runs; what wants more to be said is asked for help."""
    verbs = {command: command.replace("JOB", slow) for command in ("proofhouse pause JOB", "proofhouse resume JOB")}
    named = [*runbooks.inline_commands("proofhouse"), *runbooks.inline_commands("rq")]
    whole = [each if "JOB" in each or each.startswith("rq ") else f"{each} --help" for each in named]
    return sorted((verbs.get(each, each) for each in whole), key=lambda each: "resume" in each)


def numbers(series: Sample) -> list[float]:
    """The values of a series that are numbers."""
    values = series["values"] if "values" in series else [series["value"]]
    return [float(text) for _, text in values if not isnan(float(text))]
