"""GET /v1/jobs/{id}/judgements."""

from flask.testing import FlaskClient

from service.domain.roles import Role
from tests.api.conftest import UNKNOWN_JOB, ClientFor, assert_problem, judged


def test_newest_first_and_page_by_page(client: FlaskClient, finished_job: str) -> None:
    made = [judged(client, finished_job).rsplit("/", 1)[-1] for _ in range(5)]
    seen, cursor = list[str](), ""
    while cursor is not None:
        page = client.get(f"/v1/jobs/{finished_job}/judgements?limit=2{cursor and '&cursor=' + cursor}").json
        seen += [judgement["id"] for judgement in page["data"]]
        cursor = page["next_cursor"]
    assert seen == made[::-1]


def test_an_entry_is_what_retrieving_it_gives(client: FlaskClient, finished_job: str, finished_judgement: str) -> None:
    (entry,) = client.get(f"/v1/jobs/{finished_job}/judgements").json["data"]
    assert entry == client.get(finished_judgement).json


def test_a_job_that_nobody_judged_again_has_none(client: FlaskClient, finished_job: str) -> None:
    assert client.get(f"/v1/jobs/{finished_job}/judgements").json == {"data": [], "next_cursor": None}


def test_the_cursor_of_another_list_is_refused(client: FlaskClient, finished_job: str) -> None:
    cursor = client.get(f"/v1/jobs/{finished_job}/results?limit=1").json["next_cursor"]
    assert_problem(client.get(f"/v1/jobs/{finished_job}/judgements?cursor={cursor}"), 422, "invalid_cursor")


def test_who_may_see_them(client_for: ClientFor, client: FlaskClient, stranger: FlaskClient, finished_job: str) -> None:
    assert client_for(Role.READER).get(f"/v1/jobs/{finished_job}/judgements").status_code == 200
    assert_problem(stranger.get(f"/v1/jobs/{finished_job}/judgements"), 404, "job_not_found")
    assert_problem(client.get(f"/v1/jobs/{UNKNOWN_JOB}/judgements"), 404, "job_not_found")
