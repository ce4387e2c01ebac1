"""The audit log: what is written, who reads it."""

from flask.testing import FlaskClient

from service.domain.quotas import Quota
from service.domain.roles import Role
from service.pipeline.services import Services
from service.store import audit, quotas
from service.store.audit import Entry, EntryFilter
from tests.api.conftest import TENANT, ClientFor, assert_problem, created, spec
from tests.support.databases import on_both


@on_both
def test_what_changes_something_is_written_down_and_what_reads_is_not(client: FlaskClient) -> None:
    job_id = created(client, spec())
    client.get(f"/v1/jobs/{job_id}")
    cancelled = client.post(f"/v1/jobs/{job_id}/cancel")
    newest, oldest = client.get("/v1/audit").json["data"]
    assert (oldest["operation"], oldest["object_id"], oldest["status"]) == ("jobs_create", job_id, 202)
    assert (newest["operation"], newest["object_id"], newest["status"]) == ("jobs_cancel", job_id, 200)
    assert newest["request_id"] == cancelled.headers["X-Request-ID"]
    assert newest["key_id"].startswith("key_")


def test_what_was_refused_is_written_down_too(client: FlaskClient, client_for: ClientFor) -> None:
    client_for(Role.READER).delete("/v1/jobs/job_1")
    client.post("/v1/jobs", json={"target": "nonsense"})
    entries = client.get("/v1/audit").json["data"]
    assert [(entry["operation"], entry["status"]) for entry in entries] == [("jobs_create", 422), ("jobs_delete", 403)]


def test_requests_beyond_the_quota_do_not_fill_it(client: FlaskClient, services: Services) -> None:
    with services.store.write() as session:
        quotas.put(session, TENANT, Quota(requests_per_minute=1))
    client.post("/v1/jobs/job_1/cancel")
    assert_problem(client.post("/v1/jobs/job_1/cancel"), 429, "quota_exceeded")
    with services.store.read() as session:
        entries = audit.page(session, TENANT, EntryFilter(), after=None, limit=10)
    assert [entry.status for entry in entries] == [404]


def test_no_content_is_ever_in_it(client: FlaskClient) -> None:
    created(client, spec(name="a secret name"))
    (entry,) = client.get("/v1/audit").json["data"]
    known = {"number", "created_at", "key_id", "operation", "object_id", "status", "request_id", "details"}
    assert set(entry) == known
    assert entry["details"] == {}


def test_what_a_command_was_about_is_shown(client: FlaskClient, services: Services) -> None:
    facts = {"os_user": "ops", "active_jobs": 2, "cases_per_day": None}
    with services.store.write() as session:
        audit.add(session, Entry(TENANT, "quotas set", details=facts))
    (entry,) = client.get("/v1/audit").json["data"]
    assert entry["details"] == facts


def test_it_is_listed_in_pages_and_by_filters(client: FlaskClient) -> None:
    ids = [created(client, spec()) for _ in range(3)]
    first = client.get("/v1/audit?limit=2").json
    second = client.get(f"/v1/audit?limit=2&cursor={first['next_cursor']}").json
    assert [entry["object_id"] for entry in first["data"] + second["data"]] == ids[::-1]
    assert second["next_cursor"] is None
    (only,) = client.get(f"/v1/audit?object_id={ids[1]}&operation=jobs_create").json["data"]
    assert only["object_id"] == ids[1]
    assert client.get("/v1/audit?operation=jobs_delete").json["data"] == []
    assert client.get(f"/v1/audit?created_before={only['created_at']}").json["data"][0]["object_id"] == ids[0]


def test_a_tenant_sees_its_own(client: FlaskClient, stranger: FlaskClient) -> None:
    created(client, spec())
    assert stranger.get("/v1/audit").json["data"] == []


def test_a_cursor_of_another_list_is_refused(client: FlaskClient) -> None:
    assert_problem(client.get("/v1/audit?cursor=abc"), 422, "invalid_cursor")
