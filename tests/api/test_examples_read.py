"""GET and DELETE /v1/examples."""

from flask.testing import FlaskClient

from tests.api.conftest import UNKNOWN_EXAMPLE, assert_problem


def keep(client: FlaskClient, *texts: str, category: str = "violence") -> None:
    body = {"examples": [{"category": category, "text": text} for text in texts]}
    assert client.post("/v1/examples", json=body).status_code == 200


def test_newest_first_in_pages(client: FlaskClient) -> None:
    for number in range(4):
        keep(client, f"Fight {number}")
    first = client.get("/v1/examples?limit=3").json
    keep(client, "Later")
    second = client.get(f"/v1/examples?limit=3&cursor={first['next_cursor']}").json
    assert [example["text"] for example in first["data"] + second["data"]] == [f"Fight {n}" for n in (3, 2, 1, 0)]
    assert second["next_cursor"] is None


def test_by_category(client: FlaskClient) -> None:
    keep(client, "Fight")
    keep(client, "Lock", category="financial_crime")
    assert [example["text"] for example in client.get("/v1/examples?category=violence").json["data"]] == ["Fight"]
    assert_problem(client.get("/v1/examples?category=theft"), 422, "validation_failed")


def test_one_that_was_given_as_such_names_no_job(client: FlaskClient) -> None:
    keep(client, "Fight")
    [listed] = client.get("/v1/examples").json["data"]
    assert client.get(f"/v1/examples/{listed['id']}").json == listed
    assert (listed["text"], listed["job_id"], listed["result_id"]) == ("Fight", None, None)


def test_a_deleted_one_is_gone_and_may_be_kept_again(client: FlaskClient) -> None:
    keep(client, "Fight")
    [listed] = client.get("/v1/examples").json["data"]
    assert client.delete(f"/v1/examples/{listed['id']}").status_code == 204
    assert_problem(client.get(f"/v1/examples/{listed['id']}"), 404, "example_not_found")
    keep(client, "Fight")
    assert len(client.get("/v1/examples").json["data"]) == 1


def test_unknown_and_anothers(client: FlaskClient, stranger: FlaskClient) -> None:
    keep(client, "Fight")
    [listed] = client.get("/v1/examples").json["data"]
    for path in (f"/v1/examples/{listed['id']}", f"/v1/examples/{UNKNOWN_EXAMPLE}"):
        assert_problem(stranger.get(path), 404, "example_not_found")
        assert_problem(stranger.delete(path), 404, "example_not_found")
    assert stranger.get("/v1/examples").json["data"] == []
    assert len(client.get("/v1/examples").json["data"]) == 1


def test_a_cursor_of_another_list_is_none(client: FlaskClient) -> None:
    client.post("/v1/suites", json={"cases": [{"prompt": "How?"}]})
    client.post("/v1/suites", json={"cases": [{"prompt": "How?"}]})
    cursor = client.get("/v1/suites?limit=1").json["next_cursor"]
    assert_problem(client.get(f"/v1/examples?cursor={cursor}"), 422, "invalid_cursor")
