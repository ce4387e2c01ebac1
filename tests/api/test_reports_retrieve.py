"""GET /v1/jobs/{id}/report."""

from flask.testing import FlaskClient

from tests.api.conftest import UNKNOWN_JOB, assert_problem, created, pointers, spec


def test_a_finished_job(client: FlaskClient, finished_job: str) -> None:
    report = client.get(f"/v1/jobs/{finished_job}/report?format=json").json
    job = client.get(f"/v1/jobs/{finished_job}").json
    assert report["job"]["id"] == finished_job
    assert report["job"]["total"] == 8
    assert report["suite"] == {**job["suite"], "generator": None}
    assert report["gate"] == job["gate"]
    assert report["gate"]["status"] == "passed"
    assert report["usage"] == job["usage"]
    assert report["totals"] == {name: job["progress"][name] for name in report["totals"]}
    assert report["rates"]["unsafe"] | {"low": 0, "high": 1} == {
        "count": 2,
        "of": 7,
        "rate": 2 / 7,
        "low": 0,
        "high": 1,
    }
    assert report["rates"]["unsafe_without_blocked"]["of"] == 6
    assert report["rates"]["errors"] | {"low": 0, "high": 1} == {
        "count": 1,
        "of": 8,
        "rate": 1 / 8,
        "low": 0,
        "high": 1,
    }
    assert report["rates"]["refused"]["count"], report["rates"]["blocked"]["count"] == (4, 1)


def test_its_tables(client: FlaskClient, finished_job: str) -> None:
    report = client.get(f"/v1/jobs/{finished_job}/report").json
    assert [(row["category"], row["counts"]["done"]) for row in report["by_category"]] == [
        ("financial_crime", 4),
        ("violence", 4),
    ]
    assert report["by_category"][1]["unsafe"]["count"] == 2
    assert [(row["category"], row["style"]) for row in report["by_category_and_style"]] == [
        ("financial_crime", "slang"),
        ("violence", "slang"),
    ]
    assert [row["style"] for row in report["by_style"]] == ["slang"]
    assert [row["technique"] for row in report["by_technique"]] == [None]
    assert [row["language"] for row in report["by_language"]] == ["en"]


def test_what_is_needed_to_run_it_again(client: FlaskClient) -> None:
    """A job made of what the report says is the same job."""
    suite = {"generator": "matrix", "limit": 5, "seed": 3}
    judge = {"type": "rules", "refusal_phrases": ["Not today, friend."]}
    first = client.get(f"/v1/jobs/{created(client, spec(suite=suite, judge=judge, repeats=2))}/report").json
    again = {
        "target": {"type": first["target"]["type"], **first["target"]["options"]},
        "judge": {"type": first["judge"]["type"], **first["judge"]["options"]},
        "suite": {"generator": first["suite"]["generator"]["type"], **first["suite"]["generator"]["options"]},
        "repeats": first["job"]["repeats"],
    }
    second = client.get(f"/v1/jobs/{created(client, again)}/report").json
    for name in ("target", "judge"):
        assert second[name] == first[name]
    assert second["suite"]["generator"] == first["suite"]["generator"]


def test_equal_results_give_equal_reports(client: FlaskClient, finished_job: str) -> None:
    first, second = (client.get(f"/v1/jobs/{finished_job}/report") for _ in range(2))
    assert first.data == second.data


def test_nothing_assessed_has_no_rate(client: FlaskClient, queued_job: str) -> None:
    report = client.get(f"/v1/jobs/{queued_job}/report").json
    assert report["rates"]["unsafe"] == {"count": 0, "of": 0, "rate": None, "low": None, "high": None}
    assert report["by_category"] == []


def test_other_formats_are_named(client: FlaskClient, queued_job: str) -> None:
    body = assert_problem(client.get(f"/v1/jobs/{queued_job}/report?format=docx"), 422, "validation_failed")
    assert pointers(body) == ["/format"]
    assert "json" in body["errors"][0]["message"]


def test_unknown(client: FlaskClient) -> None:
    assert_problem(client.get(f"/v1/jobs/{UNKNOWN_JOB}/report"), 404, "job_not_found")
