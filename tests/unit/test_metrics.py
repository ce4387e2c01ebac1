import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics import Counter, Histogram, MetricWrapperBase
from prometheus_client.parser import text_string_to_metric_families

from service import metrics

DEFINED = [value for value in vars(metrics).values() if isinstance(value, MetricWrapperBase)]


def run(script: str, folder: Path, slot: str = "worker_1") -> dict[str, float]:
    """Run a script in a process of its own and give what is collected at its end."""
    last = "\nfrom prometheus_client import generate_latest\nprint(generate_latest(metrics.collected()).decode())"
    code = "import os, signal\nfrom service import metrics\n" + textwrap.dedent(script) + last
    environ = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(folder), "PROOFHOUSE_METRICS_SLOT": slot}
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stderr
    return samples(done.stdout)


def samples(exposition: str) -> dict[str, float]:
    families = text_string_to_metric_families(exposition)
    every = (sample for family in families for sample in family.samples)
    return {
        " ".join([sample.name, *(sample.labels[key] for key in sorted(sample.labels))]): sample.value
        for sample in every
    }


FORK_TWENTY = """
    metrics.MODEL_REQUESTS.labels("target", "ok").inc()
    for number in range(20):
        child = os.fork()
        if not child:
            for _ in range(7):
                metrics.MODEL_REQUESTS.labels("target", "ok").inc()
            metrics.MODEL_REQUESTS.labels("target", f"new in {number}").inc()
            metrics.MODEL_REQUEST_DURATION.labels("target").observe(0.3)
            with metrics.model_in_flight("target"):
                pass
            os._exit(0)
        os.waitpid(child, 0)
    metrics.MODEL_REQUESTS.labels("target", "ok").inc()
"""


def test_counts_are_exact_over_forks_one_after_the_other_and_files_stay_few(tmp_path: Path) -> None:
    found = run(FORK_TWENTY, tmp_path)
    assert found["proofhouse_model_requests_total ok target"] == 20 * 7 + 2
    assert all(found[f"proofhouse_model_requests_total new in {number} target"] == 1 for number in range(20))
    assert found["proofhouse_model_request_duration_seconds_count target"] == 20
    assert found["proofhouse_model_request_duration_seconds_sum target"] == pytest.approx(6)
    assert found["proofhouse_model_in_flight target"] == 0
    assert next(value for name, value in found.items() if name.startswith("proofhouse_build_info")) == 1
    kinds = {name.name.rpartition("_")[0] for name in tmp_path.iterdir()}
    assert len(list(tmp_path.iterdir())) <= 2 * len(kinds)


def test_a_second_start_goes_on_counting_in_the_same_files(tmp_path: Path) -> None:
    run(FORK_TWENTY, tmp_path)
    files = sorted(tmp_path.iterdir())
    found = run(FORK_TWENTY, tmp_path)
    assert found["proofhouse_model_requests_total ok target"] == 2 * (20 * 7 + 2)
    assert sorted(tmp_path.iterdir()) == files


def test_processes_side_by_side_count_apart_in_their_own_slots(tmp_path: Path) -> None:
    script = """
        children = []
        for number in range(8):
            child = os.fork()
            if not child:
                metrics.use_slot(f"api-{number}")
                for _ in range(500):
                    metrics.HTTP_REQUEST_DURATION.labels("GET", "/v1/jobs", "200").observe(0.01)
                os._exit(0)
            children.append(child)
        for child in children:
            os.waitpid(child, 0)
    """
    found = run(script, tmp_path)
    assert found["proofhouse_http_request_duration_seconds_count GET /v1/jobs 200"] == 4000


KILLED = """
    child = os.fork()
    if not child:
        with metrics.model_in_flight("target"), metrics.model_in_flight("target"):
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
"""


def test_a_killed_process_leaves_its_gauge_until_its_parent_forgets_it(tmp_path: Path) -> None:
    assert run(KILLED, tmp_path)["proofhouse_model_in_flight target"] == 2
    assert "proofhouse_model_in_flight target" not in run(KILLED + "    metrics.forget_child()\n", tmp_path)


def test_the_next_process_of_a_slot_does_not_add_to_what_a_killed_one_left(tmp_path: Path) -> None:
    again = """
    child = os.fork()
    if not child:
        with metrics.model_in_flight("target"):
            os._exit(0)
    os.waitpid(child, 0)
    """
    assert run(KILLED + again, tmp_path)["proofhouse_model_in_flight target"] == 1


def test_a_worker_shows_known_series_at_0_before_anything_is_counted_and_a_fork_adds_to_them(tmp_path: Path) -> None:
    assert "proofhouse_cases_total answered unsafe" not in run("", tmp_path / "silent")
    found = run("metrics.start_at_zero()", tmp_path)
    assert found["proofhouse_cases_total answered unsafe"] == 0
    assert found["proofhouse_cases_total error none"] == 0
    assert "proofhouse_cases_total error safe" not in found
    assert found["proofhouse_jobs_finished_total completed"] == 0
    assert found["proofhouse_model_tokens_total completion judge"] == 0
    assert (
        run("    metrics.start_at_zero()" + FORK_TWENTY, tmp_path)["proofhouse_model_requests_total ok target"] == 142
    )


@pytest.mark.parametrize("metric", DEFINED, ids=lambda metric: str(metric._name))
def test_names_follow_the_conventions(metric: MetricWrapperBase) -> None:
    family = next(iter(metric.describe()))
    assert family.name.startswith("proofhouse_")
    assert len(family.documentation) > 20
    assert family.documentation.endswith(".")
    if isinstance(metric, Counter):
        assert not family.name.endswith("_total"), "the library adds it"
    if isinstance(metric, Histogram):
        assert family.name.endswith("_seconds")


def test_every_metric_is_exposed_without_a_folder_too() -> None:
    exposed = {family.name for family in text_string_to_metric_families(generate_latest(metrics.collected()).decode())}
    assert exposed == {next(iter(metric.describe())).name for metric in DEFINED}


def test_collecting_twice_does_not_clash() -> None:
    assert isinstance(metrics.collected(), CollectorRegistry)
    assert metrics.collected() is not metrics.collected()
