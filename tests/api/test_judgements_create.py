"""POST /v1/jobs/{id}/judgements."""

import pytest
from flask.testing import FlaskClient

from service.domain.roles import Role
from service.pipeline.services import Services
from service.store import jobs
from tests.api.conftest import UNKNOWN_JOB, ClientFor, assert_problem, created, finish, judged, pointers, spec

RULES = {"judge": {"type": "rules"}}
SECRET = "sk-of-the-judge-0123456789"
LLM = {"type": "llm", "base_url": "http://127.0.0.1:9/v1", "model": "j", "api_key": SECRET}


def test_it_is_accepted_and_found_where_the_answer_says(client: FlaskClient, finished_job: str) -> None:
    response = client.post(f"/v1/jobs/{finished_job}/judgements", json={**RULES, "name": "by wording"})
    assert response.status_code == 202
    body = response.json
    assert response.headers["Location"] == f"/v1/jobs/{finished_job}/judgements/{body['id']}"
    assert body == client.get(response.headers["Location"]).json
    assert (body["job_id"], body["name"], body["status"]) == (finished_job, "by wording", "queued")
    assert body["status_reason"] is body["finished_at"] is None
    assert body["judge"] == {"type": "rules", "options": {"refusal_phrases": []}}
    assert body["progress"] == {"total": 8, "done": 0, "safe": 0, "unsafe": 0, "unknown": 0, "errors": 0}
    assert body["usage"] == {"requests": 0, "prompt_tokens": 0, "completion_tokens": 0}


def test_links_lead_somewhere(client: FlaskClient, queued_judgement: str) -> None:
    links = client.get(queued_judgement).json["links"]
    assert links["self"] == queued_judgement
    for name in ("self", "results", "report", "agreement"):
        assert client.get(links[name]).status_code == 200


def test_the_judges_key_is_never_given_and_is_sealed(
    client: FlaskClient, services: Services, finished_job: str
) -> None:
    response = client.post(f"/v1/jobs/{finished_job}/judgements", json={"judge": LLM})
    assert SECRET not in response.text
    assert SECRET not in client.get(f"/v1/jobs/{finished_job}/judgements").text
    with services.store.read() as session:
        sealed = jobs.sealed_secrets(session, response.json["id"])
    assert services.vault.open(sealed) == {"judge": {"api_key": SECRET}}


def test_any_number_of_judgements_stand_side_by_side(client: FlaskClient, finished_job: str) -> None:
    assert judged(client, finished_job) != judged(client, finished_job)


def test_the_same_idempotency_key_gives_the_judgement_made_first(client: FlaskClient, finished_job: str) -> None:
    path, key = f"/v1/jobs/{finished_job}/judgements", {"Idempotency-Key": "k1"}
    first = client.post(path, json=RULES, headers=key)
    again = client.post(path, json=RULES, headers=key)
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (again.status_code, again.json["id"]) == (202, first.json["id"])
    assert len(client.get(path).json["data"]) == 1


def test_an_idempotency_key_of_another_request_is_refused(
    client: FlaskClient, services: Services, finished_job: str
) -> None:
    key = {"Idempotency-Key": "k1"}
    other = finish(services, created(client, spec(1)))
    assert client.post(f"/v1/jobs/{finished_job}/judgements", json=RULES, headers=key).status_code == 202
    for path, body in (
        (f"/v1/jobs/{finished_job}/judgements", {**RULES, "name": "another"}),
        (f"/v1/jobs/{other}/judgements", RULES),
        ("/v1/jobs", spec(1)),
    ):
        assert_problem(client.post(path, json=body, headers=key), 422, "idempotency_key_reused")


def test_only_a_completed_job_can_be_judged_again(client: FlaskClient, queued_job: str) -> None:
    path = f"/v1/jobs/{queued_job}/judgements"
    assert_problem(client.post(path, json=RULES), 409, "job_not_completed")
    client.post(f"/v1/jobs/{queued_job}/cancel")
    assert_problem(client.post(path, json=RULES), 409, "job_not_completed")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/judge"),
        ({"judge": None}, "/judge"),
        ({"judge": {"type": "nobody"}}, "/judge/type"),
        ({"judge": {"type": "llm", "model": "j"}}, "/judge/base_url"),
        ({**RULES, "name": ""}, "/name"),
        ({**RULES, "limits": {}}, "/limits"),
    ],
)
def test_what_is_wrong_is_pointed_at(client: FlaskClient, finished_job: str, body: object, pointer: str) -> None:
    response = client.post(f"/v1/jobs/{finished_job}/judgements", json=body)
    assert pointers(assert_problem(response, 422, "validation_failed")) == [pointer]


def test_unknown_and_anothers_job(client: FlaskClient, stranger: FlaskClient, finished_job: str) -> None:
    assert_problem(client.post(f"/v1/jobs/{UNKNOWN_JOB}/judgements", json=RULES), 404, "job_not_found")
    assert_problem(stranger.post(f"/v1/jobs/{finished_job}/judgements", json=RULES), 404, "job_not_found")


def test_a_judgement_is_no_job(client: FlaskClient, queued_judgement: str) -> None:
    judgement = queued_judgement.rsplit("/", 1)[-1]
    assert_problem(client.get(f"/v1/jobs/{judgement}"), 404, "job_not_found")
    assert_problem(client.post(f"/v1/jobs/{judgement}/judgements", json=RULES), 404, "job_not_found")
    assert judgement not in client.get("/v1/jobs").text


def test_a_reader_may_not(client_for: ClientFor, finished_job: str) -> None:
    path = f"/v1/jobs/{finished_job}/judgements"
    assert_problem(client_for(Role.READER).post(path, json=RULES), 403, "forbidden")
    assert client_for(Role.SUBMITTER).post(path, json=RULES).status_code == 202
