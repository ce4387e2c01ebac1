"""GET and DELETE /v1/jobs/{id}/judgements/{id}, and cancel, resume and retry below it."""

import pytest
from flask.testing import FlaskClient

from service.domain.roles import Role
from service.pipeline.services import Services
from tests.api.conftest import UNKNOWN_JUDGEMENT, ClientFor, assert_problem, created, finish, judged, spec


def test_a_finished_judgement_is_shown_with_its_progress_and_cost(client: FlaskClient, finished_judgement: str) -> None:
    body = client.get(finished_judgement).json
    assert body["status"] == "completed"
    assert body["finished_at"] >= body["started_at"] >= body["created_at"]
    assert body["progress"] == {"total": 8, "done": 8, "safe": 0, "unsafe": 6, "unknown": 0, "errors": 2}
    assert body["usage"] == {"requests": 6, "prompt_tokens": 120, "completion_tokens": 12}


def test_the_job_itself_stays_as_it_was(client: FlaskClient, finished_job: str, harsh: str, services: Services) -> None:
    before = client.get(f"/v1/jobs/{finished_job}").json
    finish(services, judged(client, finished_job, harsh).rsplit("/", 1)[-1])
    assert client.get(f"/v1/jobs/{finished_job}").json == before


def test_cancel_and_again(client: FlaskClient, queued_judgement: str) -> None:
    for _ in range(2):
        response = client.post(f"{queued_judgement}/cancel")
        assert (response.status_code, response.json["status"]) == (200, "cancelled")
    assert client.get(queued_judgement).json["status_reason"]["code"] == "cancelled"


def test_what_a_completed_judgement_refuses(client: FlaskClient, finished_judgement: str) -> None:
    for verb in ("cancel", "resume"):
        assert_problem(client.post(f"{finished_judgement}/{verb}"), 409, "judgement_ended")


def test_a_judgement_under_way_refuses_retry_and_delete(client: FlaskClient, queued_judgement: str) -> None:
    assert_problem(client.post(f"{queued_judgement}/retry"), 409, "judgement_not_completed")
    assert_problem(client.delete(queued_judgement), 409, "judgement_active")


def test_resuming_what_is_not_paused_changes_nothing(client: FlaskClient, queued_judgement: str) -> None:
    assert client.post(f"{queued_judgement}/resume").json == client.get(queued_judgement).json


def test_retry_leaves_only_what_the_judge_failed_on_to_be_done(client: FlaskClient, finished_judgement: str) -> None:
    body = client.post(f"{finished_judgement}/retry").json
    assert body["status"] == "running"
    assert (body["progress"]["done"], body["progress"]["errors"]) == (7, 1)


def test_a_job_is_not_retried_while_it_is_judged_again(client: FlaskClient, queued_judgement: str) -> None:
    job = queued_judgement.split("/judgements/", maxsplit=1)[0]
    assert_problem(client.post(f"{job}/retry"), 409, "judgement_active")


def test_delete_takes_the_judgement_alone(client: FlaskClient, finished_job: str, finished_judgement: str) -> None:
    results = client.get(f"/v1/jobs/{finished_job}/results").json
    assert client.delete(finished_judgement).status_code == 204
    assert_problem(client.get(finished_judgement), 404, "judgement_not_found")
    assert client.get(f"/v1/jobs/{finished_job}/results").json == results


def test_deleting_the_job_takes_its_judgements(
    client: FlaskClient, finished_job: str, finished_judgement: str, services: Services
) -> None:
    unfinished = judged(client, finished_job)
    other = judged(client, finish(services, created(client, spec(1))))
    assert client.delete(f"/v1/jobs/{finished_job}").status_code == 204
    for path in (finished_judgement, unfinished):
        assert_problem(client.get(path), 404, "judgement_not_found")
    assert client.get(other).status_code == 200


@pytest.mark.parametrize("request_line", ["GET ", "DELETE ", "POST /cancel", "POST /resume", "POST /retry"])
def test_what_is_not_there_for_this_key(
    client: FlaskClient, stranger: FlaskClient, services: Services, queued_judgement: str, request_line: str
) -> None:
    method, _, verb = request_line.partition(" ")
    job, _, judgement = queued_judgement.rpartition("/judgements/")
    other = finish(services, created(client, spec(1)))
    for asking, path in (
        (client, f"{job}/judgements/{UNKNOWN_JUDGEMENT}"),
        (client, f"/v1/jobs/{other}/judgements/{judgement}"),
        (client, f"{job}/judgements/{other}"),
        (stranger, queued_judgement),
    ):
        assert_problem(asking.open(path + verb, method=method), 404, "judgement_not_found")


def test_who_may_do_what(client_for: ClientFor, queued_judgement: str) -> None:
    reader, submitter = client_for(Role.READER), client_for(Role.SUBMITTER)
    assert reader.get(queued_judgement).status_code == 200
    for verb in ("cancel", "resume", "retry"):
        assert_problem(reader.post(f"{queued_judgement}/{verb}"), 403, "forbidden")
    assert submitter.post(f"{queued_judgement}/cancel").status_code == 200
    assert_problem(submitter.delete(queued_judgement), 403, "forbidden")
    assert client_for(Role.OPERATOR).delete(queued_judgement).status_code == 204
