"""A worker's counts are whole although every task runs, and may die, in a process of its own.

The worker writes to a folder of the test's, which is read as an API on the same machine would.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector

from service.app import create_app
from service.domain.jobs import Job
from service.pipeline.services import Services
from service.pipeline.submit import submit
from service.settings import Settings
from service.targets.base import targets
from tests.support.mock_openai import MockOpenAI, text
from tests.support.promise import completed, some_done
from tests.support.running import wind_back
from tests.support.specs import REFUSAL, job_spec, plugin
from tests.support.stack import WorkerProcess, wait_for, worker

CASES = 100
CONCURRENCY = 8
SECONDS = 60


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The database makes no difference here."""
    return sqlite_url


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "metrics"


@pytest.fixture
def running(settings: Settings, tmp_path: Path, folder: Path) -> Iterator[WorkerProcess]:
    with worker(settings, tmp_path / "log", PROMETHEUS_MULTIPROC_DIR=str(folder)) as started:
        yield started


def start(services: Services, server: MockOpenAI) -> Job:
    target = plugin(targets, "openai", base_url=server.base_url, model="m", max_concurrency=CONCURRENCY)
    return submit(services, job_spec(CASES, target=target), tenant="acme")


def collected(folder: Path, sample_name: str) -> float:
    """The sum of a metric's samples over all labels and files."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry, str(folder))  # type: ignore[no-untyped-call]
    samples = (sample for family in registry.collect() for sample in family.samples)
    return sum(sample.value for sample in samples if sample.name == sample_name)


def wait_until_idle(running: WorkerProcess) -> None:
    wait_for(lambda: running.idle() or None, SECONDS, "the last task's end")


def run_two_jobs(services: Services, running: WorkerProcess, folder: Path) -> list[list[str]]:
    """One after the other; gives the names of the metrics' files after each."""
    files = []
    with MockOpenAI(text(REFUSAL)) as server:
        for _ in range(2):
            completed(services, start(services, server), SECONDS)
            wait_until_idle(running)
            files.append(sorted(path.name for path in folder.iterdir()))
    return files


def test_a_worker_counts_right_over_several_forks_of_which_one_is_killed(
    services: Services, running: WorkerProcess, folder: Path
) -> None:
    """One story, because a worker takes seconds to start."""
    after_first, after_second = run_two_jobs(services, running, folder)
    assert after_first == after_second, "a second job adds no file"
    assert collected(folder, "proofhouse_cases_total") == 2 * CASES
    kill_the_horse_of_a_third_job(services, running, folder)
    assert collected(folder, "proofhouse_model_in_flight") == 0


def kill_the_horse_of_a_third_job(services: Services, running: WorkerProcess, folder: Path) -> None:
    """While calls are in flight, which nobody else will say have ended; another horse completes the job."""
    with MockOpenAI(text(REFUSAL).after(0.3)) as server:
        job = start(services, server)
        some_done(services, job, 1)
        in_flight = wait_for(lambda: collected(folder, "proofhouse_model_in_flight"), 10, "calls in flight")
        assert in_flight <= CONCURRENCY
        running.horse().kill()
        wait_until_idle(running)
        wind_back(services)
        completed(services, job, SECONDS)
        wait_until_idle(running)


@dataclass(frozen=True)
class Family:
    """A metric as the text format declares it."""

    name: str
    kind: str
    help: str
    labels: frozenset[str]


TYPES = ("counter", "gauge", "histogram", "summary", "untyped")
NOT_BASE_UNITS = (
    *("milliseconds", "microseconds", "nanoseconds", "minutes", "hours", "days", "weeks"),
    *("kilobytes", "megabytes", "gigabytes", "bits", "percent", "fahrenheit", "kelvin", "inches", "miles"),
)
ABBREVIATIONS = ("s", "ms", "us", "ns", "sec", "b", "kb", "mb", "gb", "tb", "pb", "m", "h", "d")
SUFFIXES = {"histogram": (), "summary": ("_bucket",)}


def complaints(family: Family) -> list[str]:
    """What `promtool check metrics` would say of it."""
    words = family.name.split("_")
    checks = {
        "no help text": not family.help,
        'counters end in "_total"': family.kind == "counter" and not family.name.endswith("_total"),
        'only counters end in "_total"': family.kind != "counter" and family.name.endswith("_total"),
        "base units": bool({*words} & {*NOT_BASE_UNITS}),
        "no abbreviated units": bool({*words[1:]} & {*ABBREVIATIONS}),
        "no type in the name": bool({*words} & {*TYPES}),
        "snake case": not re.fullmatch("[a-z][a-z0-9_]*", family.name),
        "snake case in labels": any(not re.fullmatch("[a-z][a-z0-9_]*", label) for label in family.labels),
        "reserved suffix": family.name.endswith(SUFFIXES.get(family.kind, ("_bucket", "_count", "_sum"))),
        "reserved label": bool(family.labels & {"le", "quantile"}) and family.kind not in SUFFIXES,
    }
    return [rule for rule, broken in checks.items() if broken]


def declared(exposition: str) -> list[Family]:
    """Every family that the text declares."""
    helps = dict(re.findall(r"^# HELP (\S+) ?(.*)$", exposition, re.MULTILINE))
    return [
        Family(name, kind, helps.get(name, ""), _labels(exposition, name))
        for name, kind in re.findall(r"^# TYPE (\S+) (\w+)$", exposition, re.MULTILINE)
    ]


def _labels(exposition: str, name: str) -> frozenset[str]:
    samples = re.findall(rf"^{name}(?:_bucket|_sum|_count)?{{(.*)}} ", exposition, re.MULTILINE)
    return frozenset(label for sample in samples for label in re.findall(r'(?:^|,)(\w+)="', sample))


def exposed(services: Services, settings: Settings) -> str:
    """The API's /metrics while a job is there to be counted."""
    submit(services, job_spec(1), tenant="acme")
    app = create_app(settings)
    try:
        return app.test_client().get("/metrics").text
    finally:
        app.extensions["proofhouse"][1].close()


def test_the_apis_metrics_break_no_rule_of_promtool(services: Services, settings: Settings) -> None:
    found = declared(exposed(services, settings))
    assert len(found) > 10
    assert {family.name: complaints(family) for family in found if complaints(family)} == {}


def test_each_of_the_apis_metrics_is_declared_once(services: Services, settings: Settings) -> None:
    names = [family.name for family in declared(exposed(services, settings))]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("family", "rule"),
    [
        (Family("things_total", "counter", "", frozenset()), "no help text"),
        (Family("things", "counter", "Things.", frozenset()), 'counters end in "_total"'),
        (Family("things_total", "gauge", "Things.", frozenset()), 'only counters end in "_total"'),
        (Family("wait_milliseconds", "gauge", "A wait.", frozenset()), "base units"),
        (Family("wait_ms", "gauge", "A wait.", frozenset()), "no abbreviated units"),
        (Family("wait_gauge", "gauge", "A wait.", frozenset()), "no type in the name"),
        (Family("waitNow", "gauge", "A wait.", frozenset()), "snake case"),
        (Family("wait", "gauge", "A wait.", frozenset({"myLabel"})), "snake case in labels"),
        (Family("wait_count", "gauge", "A wait.", frozenset()), "reserved suffix"),
        (Family("wait", "gauge", "A wait.", frozenset({"le"})), "reserved label"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.name,
)
def test_the_check_sees_a_broken_rule(family: Family, rule: str) -> None:
    assert complaints(family) == [rule]
