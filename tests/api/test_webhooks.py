"""A job's webhook as it is given and shown, GET /v1/jobs/{id}/deliveries, and POST /v1/jobs/{id}/redeliver."""

import pytest
from flask.testing import FlaskClient

from service.api.schemas.events import EventSchema
from service.pipeline.deliver import deliver
from service.pipeline.services import Services
from tests.api.conftest import UNKNOWN_JOB, assert_problem, created, finish, pointers, spec
from tests.support.hooks import SECRET, Receiver, verified
from tests.support.mock_openai import Answer
from tests.support.running import wind_back


def given(url: str, secret: str = SECRET) -> dict[str, object]:
    return spec(webhook={"url": url, "secret": secret})


def finished(client: FlaskClient, services: Services, url: str) -> str:
    """The path of a completed job with a webhook, which was told once."""
    job_id = finish(services, created(client, given(url)))
    deliver(services)
    return f"/v1/jobs/{job_id}"


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org",
        "http://example.org:8080/a/b-c~d%20e?token=a&to=b%2Fc?",
        "https://example.org?token=a",
        "https://[2606:4700::7]/hooks",
    ],
)
def test_an_address_is_shown_without_its_query(client: FlaskClient, url: str) -> None:
    job = client.get(f"/v1/jobs/{created(client, given(url))}").json
    assert job["webhook"]["url"] == url.partition("?")[0]
    assert job["webhook"]["state"] is None
    assert "token=a" not in str(job)


@pytest.mark.parametrize("secret", ["a secret of any kind", "s", "whsec_c2VjcmV0", "schlüssel"])
def test_a_secret_may_be_a_key_in_base64_or_any_text(client: FlaskClient, secret: str) -> None:
    created(client, given("https://example.org", secret))


def test_none_is_as_good_as_left_out(client: FlaskClient) -> None:
    assert client.get(f"/v1/jobs/{created(client, spec(webhook=None))}").json["webhook"] is None


@pytest.mark.parametrize("host", ["0xa9fea9fe", "169.254.169.254", "10.0.0.1", "[::ffff:a00:1]", "2852039166"])
def test_an_address_that_must_not_be_reached_is_refused(client: FlaskClient, host: str) -> None:
    body = assert_problem(client.post("/v1/jobs", json=given(f"http://{host}/hooks")), 422, "validation_failed")
    assert pointers(body) == ["/webhook/url"]
    assert "PROOFHOUSE_ALLOWED_NETWORKS" in body["errors"][0]["message"]


def test_a_delivery_is_shown_with_the_job_and_by_itself(client: FlaskClient, services: Services) -> None:
    with Receiver() as receiver:
        path = finished(client, services, receiver.url)
    job = client.get(path).json
    assert job["webhook"] == {
        "url": receiver.url.split("?")[0],
        "state": "delivered",
        "attempts": 1,
        "next_attempt_at": None,
        "last_status": 204,
        "last_error": None,
    }
    page = client.get(job["links"]["deliveries"]).json
    (delivery,) = page["data"]
    assert page["next_cursor"] is None
    assert {name: delivery[name] for name in job["webhook"] if name != "url"} == {
        name: value for name, value in job["webhook"].items() if name != "url"
    }
    assert (delivery["id"], delivery["type"]) == (receiver.hits[0].headers["webhook-id"], "job.completed")


def test_it_says_why_a_webhook_did_not_arrive_and_when_it_is_tried_again(
    client: FlaskClient, services: Services
) -> None:
    with Receiver(Answer(503)) as receiver:
        webhook = client.get(finished(client, services, receiver.url)).json["webhook"]
    assert (webhook["state"], webhook["last_status"], webhook["last_error"]["code"]) == ("waiting", 503, "status")
    assert webhook["last_error"]["message"].startswith("The receiver answered")
    assert webhook["next_attempt_at"].endswith("Z")


def test_what_is_sent_is_what_the_description_says(client: FlaskClient, services: Services) -> None:
    with Receiver() as receiver:
        finished(client, services, receiver.url)
    event = verified(receiver.hits[0])
    assert EventSchema().validate(event) == {}
    assert {*event, *event["data"], *event["data"]["progress"]} == {
        *("type", "timestamp", "data"),
        *("id", "name", "status", "status_reason", "progress", "gate", "labels", "links"),
        *("total", "done", "safe", "unsafe", "unknown", "errors", "answered", "refused", "blocked"),
    }
    assert client.get(event["data"]["links"]["self"]).json["gate"] == event["data"]["gate"]


def test_redeliver_sends_it_again(client: FlaskClient, services: Services) -> None:
    with Receiver() as receiver:
        path = finished(client, services, receiver.url)
        response = client.post(f"{path}/redeliver")
        assert (response.status_code, response.json["webhook"]["state"]) == (200, "waiting")
        deliver(services)
    first, second = receiver.hits
    assert (first.content, first.headers["webhook-id"]) == (second.content, second.headers["webhook-id"])


def test_redeliver_needs_a_job_with_a_webhook_that_has_ended(client: FlaskClient, queued_job: str) -> None:
    assert_problem(client.post(f"/v1/jobs/{queued_job}/redeliver"), 409, "nothing_to_deliver")
    assert_problem(client.post(f"/v1/jobs/{UNKNOWN_JOB}/redeliver"), 404, "job_not_found")


def test_deliveries_in_pages(client: FlaskClient, services: Services) -> None:
    with Receiver() as receiver:
        replies = [{}, {"error": "server_error"}]
        body = given(receiver.url) | {"target": {"type": "scripted", "replies": replies}}
        job_id = finish(services, created(client, body))
        client.post(f"/v1/jobs/{job_id}/retry")
        wind_back(services)
        finish(services, job_id)
    path = f"/v1/jobs/{job_id}/deliveries"
    first = client.get(path, query_string={"limit": 1}).json
    second = client.get(path, query_string={"limit": 1, "cursor": first["next_cursor"]}).json
    assert second["next_cursor"] is None
    assert first["data"] + second["data"] == client.get(path).json["data"]
    assert_problem(client.get(path, query_string={"cursor": "of nothing"}), 422, "invalid_cursor")


def test_a_judgement_takes_no_webhook(client: FlaskClient, finished_job: str) -> None:
    body = {"judge": {"type": "rules"}, "webhook": {"url": "https://example.org", "secret": "a secret"}}
    refused = assert_problem(client.post(f"/v1/jobs/{finished_job}/judgements", json=body), 422, "validation_failed")
    assert refused["errors"] == [
        {"pointer": "/webhook", "message": "Webhooks tell of the ends of jobs: leave the field out and poll."}
    ]
