"""A key given to a job, a judgement, a suite or a stored target reaches the server it is for and nothing else.

A webhook's secret reaches nobody, and what its address holds in its query the receiver alone.

Whatever the server sends back: all of them echo the Authorization header in headers, answers, error messages and broken
bodies. Afterwards every place that the service writes to is searched for the keys, and for as little as a half of one.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from prometheus_client import CollectorRegistry, generate_latest, multiprocess

from service.app import create_app
from service.domain.jobs import Job, Suite, SuiteStatus
from service.domain.lifecycle import JobStatus
from service.domain.roles import Role
from service.domain.specs import SuiteSpec
from service.generators.base import generators
from service.judges.base import judges
from service.pipeline.rejudge import judge_again
from service.pipeline.services import Services
from service.pipeline.submit import submit, submit_suite
from service.settings import Settings
from service.store import keys, suites
from service.targets.base import targets
from tests.support.dumps import every_cell, every_key_and_value
from tests.support.echoes import (
    Echo,
    answered,
    articles,
    blocked,
    failing,
    in_other_fields,
    in_turn,
    not_http,
    not_json,
    prompt,
    redirecting,
    search_failing,
    verdict,
    wrong_shape,
)
from tests.support.hooks import Receiver, ended
from tests.support.logged import logged
from tests.support.mock_openai import Answer, Hit, MockOpenAI, completion, text
from tests.support.mock_tavily import MockTavily
from tests.support.running import now, run
from tests.support.specs import cases, job_spec, plugin
from tests.support.stack import wait_for, worker
from tests.support.thorough import in_depth

TARGET_KEY = "sk-target-5b0c6f1e9a27d438-canary"
JUDGE_KEY = "sk-judged-c83d17f2a06be594-canary"
JUDGE_AGAIN_KEY = "sk-another-1f7ae25c90bd4683-canary"
WRITER_KEY = "sk-writer-92e4b7d05ca8f136-canary"
SEARCH_KEY = "tvly-search-6d31f90ab84ce572-canary"
HOOK_SECRET = "whsec_aG9vay03ZTQxYjk1Yy1jYW5hcnktMGQ4ZjM2YTI="
HOOK_TOKEN = "hook-token-4c7d20e9f1a5b863-canary"
KEYS = (TARGET_KEY, JUDGE_KEY, JUDGE_AGAIN_KEY, WRITER_KEY, SEARCH_KEY, HOOK_SECRET, HOOK_TOKEN)
CASES = 48
OPTIONS = {"model": "m", "max_attempts": 1, "max_concurrency": 4, "timeout_seconds": 10}

FROM_TARGET: tuple[Echo, ...] = (
    answered,
    in_other_fields,
    blocked,
    failing(400),
    failing(403),
    failing(500),
    not_http,
    not_json,
    wrong_shape,
)
FROM_JUDGE: tuple[Echo, ...] = (verdict, answered, blocked, failing(400), failing(500), not_http, not_json, wrong_shape)


FROM_WRITER: tuple[Echo, ...] = (
    prompt,
    answered,
    blocked,
    failing(400),
    prompt,
    failing(500),
    not_http,
    not_json,
    wrong_shape,
)
FROM_SEARCH: tuple[Echo, ...] = (articles, not_http, not_json, failing(500))


def start(services: Services, target: MockOpenAI, judge: MockOpenAI, count: int = CASES) -> Job:
    spec = job_spec(count, target=plugin(targets, "openai", base_url=target.base_url, api_key=TARGET_KEY, **OPTIONS))
    judged_by = plugin(judges, "llm", base_url=judge.base_url, api_key=JUDGE_KEY, **OPTIONS)
    return submit(services, replace(spec, judge=judged_by), tenant="acme")


def at_rest(services: Services, job: Job) -> Job:
    """The job once it has completed or been paused."""

    def check() -> Job | None:
        found = now(services, job)
        return found if found.status.is_final or found.status is JobStatus.PAUSED else None

    return wait_for(check, 40, "the job to come to rest")


@pytest.fixture
def client(settings: Settings, services: Services) -> Iterator[FlaskClient]:
    app = create_app(settings)
    with services.store.write() as session:
        _, key = keys.create(session, tenant="acme", name="reader", role=Role.ADMIN)
    client = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {key}"
    yield client
    app.extensions["proofhouse"][1].close()


def everything_told(client: FlaskClient, job: Job) -> Iterator[bytes]:
    """All that the API says of a job."""
    path = f"/v1/jobs/{job.id}"
    for url in ("/v1/jobs", path, f"{path}/results?limit=1000", f"{path}/report", "/metrics"):
        yield told(client, url)
    yield client.get(f"{path}/results", headers={"Accept": "application/x-ndjson"}).data


def judged_again(services: Services, client: FlaskClient, job: Job) -> list[bytes]:
    """All that the API says of a judgement of the job, by a judge with a key of its own."""
    with MockOpenAI(in_turn(JUDGE_AGAIN_KEY, *FROM_JUDGE)) as judge:
        by = plugin(judges, "llm", base_url=judge.base_url, api_key=JUDGE_AGAIN_KEY, **OPTIONS)
        judgement = at_rest(services, judge_again(services, judge=by, name=None, tenant="acme", job_id=job.id))
    assert judgement.status is JobStatus.COMPLETED
    assert {hit.headers["Authorization"] for hit in judge.hits} == {f"Bearer {JUDGE_AGAIN_KEY}"}
    path, of = f"/v1/jobs/{job.id}", f"judgement={judgement.id}"
    urls = (f"results?limit=1000&{of}", f"report?{of}", "judgements", f"judgements/{judgement.id}")
    compared = f"agreement?a=original&b={judgement.id}&limit=1000"
    return [told(client, f"{path}/{url}") for url in (*urls, compared)]


def written(services: Services, client: FlaskClient, search: MockTavily) -> Iterator[bytes]:
    """All that the API says of suites that a model has written or could not write."""
    for end, (of_writer, of_search) in WRITTEN.items():
        search.behave(in_turn(SEARCH_KEY, *of_search))
        with MockOpenAI(in_turn(WRITER_KEY, *of_writer)) as writer:
            keys = {"api_key": WRITER_KEY, "search_api_key": SEARCH_KEY}
            cells = {"categories": ["violence", "self_harm"], "styles": ["slang"], "techniques": ["logical_appeal"]}
            chosen = {**cells, "variant": "rag_fs_ts", "tests_per_cell": 4, "prompts_per_call": 1}
            by = plugin(generators, "llm", base_url=writer.base_url, **keys, **chosen, **OPTIONS)
            made = at_its_end(services, submit_suite(services, SuiteSpec(generator=by), None, tenant="acme"))
        assert (made.status_reason.code if made.status_reason else "ready") == end
        assert {hit.headers["Authorization"] for hit in writer.hits} <= {f"Bearer {WRITER_KEY}"}
        for url in ("", "/cases?limit=1000", "/coverage"):
            yield told(client, f"/v1/suites/{made.id}{url}")
        for kind in ("application/x-ndjson", "text/csv"):
            yield client.get(f"/v1/suites/{made.id}/cases", headers={"Accept": kind}).data
    assert {hit.headers["Authorization"] for hit in search.hits} == {f"Bearer {SEARCH_KEY}"}
    yield told(client, "/v1/suites")


WRITTEN: dict[str, tuple[tuple[Echo, ...], tuple[Echo, ...]]] = {
    "ready": (FROM_WRITER, FROM_SEARCH),
    "generator_authentication": ((failing(401),), FROM_SEARCH),
    "generator_search_authentication": (FROM_WRITER, (search_failing(401),)),
}
"""How the making ends, by what the two servers answer."""


def told_of_its_end(services: Services, client: FlaskClient) -> list[bytes]:
    """All that the API says of a job whose receiver sends back all that it is sent, and wants no more of it."""
    with Receiver(echoing) as receiver:
        job = ended(services, f"{receiver.url}&key={HOOK_TOKEN}", secret=HOOK_SECRET)
        path = f"/v1/jobs/{job.id}"
        wait_for(lambda: client.get(path).json["webhook"]["state"] == "given_up" or None, 40, "an attempt")
    (hit,) = receiver.hits
    assert HOOK_TOKEN in hit.path
    assert traces(iter([str(hit.headers).encode(), hit.content])) == []
    return [told(client, f"{path}{url}") for url in ("", "/deliveries")]


def echoing(hit: Hit) -> Answer:
    return Answer(410, f"{hit.path} {hit.headers}".encode(), {"Location": hit.path, "Retry-After": hit.path})


def at_its_end(services: Services, suite: Suite) -> Suite:
    """The suite once it is made, or can't be."""

    def check() -> Suite | None:
        with services.store.read() as session:
            found = suites.get(session, "acme", suite.id)
        return None if found.status is SuiteStatus.GENERATING else found

    return wait_for(check, 40, "the suite to be made")


def told(client: FlaskClient, url: str) -> bytes:
    response = client.get(url)
    assert response.status_code == 200, (url, response.text)
    return response.data + str(response.headers).encode()


def exposition(folder: Path) -> bytes:
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry, str(folder))  # type: ignore[no-untyped-call]
    return generate_latest(registry)


def traces(places: Iterator[bytes]) -> list[bytes]:
    """What holds a key, or the first or second half of one."""
    halves = [half for key in KEYS for half in (key[: len(key) // 2], key[len(key) // 2 :])]
    return [place for place in places if any(half.encode() in place for half in halves)]


ENDS: dict[str, tuple[tuple[Echo, ...], tuple[Echo, ...], JobStatus]] = {
    "whatever else goes wrong": (FROM_TARGET, FROM_JUDGE, JobStatus.COMPLETED),
    "the target refuses the key": ((failing(401),), (verdict,), JobStatus.PAUSED),
    "the judge refuses the key": ((answered,), (failing(401),), JobStatus.PAUSED),
    "the target redirects": ((redirecting,), (verdict,), JobStatus.PAUSED),
}


def run_all(services: Services) -> Iterator[Job]:
    """A job for each of the ends, run by whatever worker there is; each server got its own key and no other."""
    for cause, (of_target, of_judge, end) in ENDS.items():
        with (
            MockOpenAI(in_turn(TARGET_KEY, *of_target)) as target,
            MockOpenAI(in_turn(JUDGE_KEY, *of_judge)) as judge,
        ):
            job = at_rest(services, start(services, target, judge))
        assert job.status is end, cause
        assert {hit.headers["Authorization"] for hit in target.hits} == {f"Bearer {TARGET_KEY}"}, cause
        assert {hit.headers["Authorization"] for hit in judge.hits} <= {f"Bearer {JUDGE_KEY}"}, cause
        assert judge.hits or cause.startswith("the target"), cause
        yield job


@pytest.mark.parametrize("database_url", ["postgresql", pytest.param("sqlite", marks=in_depth)], indirect=True)
def test_a_key_that_the_servers_send_back_is_found_nowhere(
    services: Services, settings: Settings, client: FlaskClient, tmp_path: Path
) -> None:
    log, folder = tmp_path / "log", tmp_path / "metrics"
    with (
        MockTavily() as search,
        worker(settings, log, PROMETHEUS_MULTIPROC_DIR=str(folder), PROOFHOUSE_SEARCH_URL=search.url),
    ):
        ran = list(run_all(services))
        of_judgement = judged_again(services, client, ran[0])
        of_suites = list(written(services, client, search))
        of_webhook = told_of_its_end(services, client)
        assert traces(every_key_and_value(services.redis)) == []
    assert b"Event [redacted]" in b"".join(of_suites)
    of_jobs = list(chain.from_iterable(everything_told(client, job) for job in ran))
    for heard in (of_jobs, of_judgement, of_suites):
        assert b"[redacted]" in b"".join(heard)
        assert traces(iter(heard)) == []
    assert traces(iter(of_webhook)) == []
    assert traces(every_cell(services.store)) == []
    assert traces(iter([exposition(folder)])) == []
    assert traces(iter(log.read_bytes().splitlines())) == []


TRIED: tuple[Echo, ...] = (*FROM_TARGET, failing(401), failing(404), failing(429), redirecting)


def tried_out(client: FlaskClient) -> Iterator[bytes]:
    """All that the API says of a stored target, tried out with each way to answer."""
    with MockOpenAI(in_turn(TARGET_KEY, *TRIED)) as target:
        given = {"type": "openai", "base_url": target.base_url, "api_key": TARGET_KEY, **OPTIONS}
        stored = client.post("/v1/targets", json={"name": "production", "target": given})
        for _ in TRIED:
            response = client.post(f"{stored.headers['Location']}/test")
            assert response.status_code == 200
            yield response.data + str(response.headers).encode()
            response.close()  # or else it is not logged
    assert [hit.headers["Authorization"] for hit in target.hits] == [f"Bearer {TARGET_KEY}"] * len(TRIED)
    for url in ("/v1/targets", stored.headers["Location"], "/v1/audit", "/metrics"):
        yield told(client, url)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_key_that_a_target_sends_back_when_it_is_tried_out_is_found_nowhere(
    services: Services, client: FlaskClient
) -> None:
    with logged() as log:
        heard = list(tried_out(client))
    assert b"[redacted]" in b"".join(heard)
    assert traces(iter(heard)) == []
    assert traces(every_cell(services.store)) == []
    assert traces(iter([log.getvalue().encode()])) == []
    assert log.getvalue().count('"route": "/v1/targets/{target_id}/test"') == len(TRIED)


def beyond_the_longest_body(key: str) -> Answer:
    """An error page of which the first thousand bytes are kept: blanks, and half of the key."""
    return Answer(500, b" " * (1000 - len(key) // 2) + key.encode(), content_type="text/plain")


def beyond_the_longest_refusal(key: str) -> Answer:
    return completion({"role": "assistant", "content": "", "refusal": "x" * (10_000 - len(key) // 2) + key})


def beyond_the_longest_answer(key: str) -> Answer:
    return text("x" * (4_000 - len(key) // 2) + key)


@pytest.mark.parametrize("echo", [beyond_the_longest_body, beyond_the_longest_refusal, beyond_the_longest_answer])
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_no_half_of_a_key_is_left_where_a_text_is_cut_off(services: Services, echo: Echo) -> None:
    with (
        MockOpenAI(in_turn(TARGET_KEY, echo)) as target,
        MockOpenAI(in_turn(JUDGE_KEY, echo)) as judge,
    ):
        job = run(services, start(services, target, judge, 3))
    assert job.status is JobStatus.COMPLETED
    assert traces(every_cell(services.store)) == []


def test_the_search_finds_what_is_there(services: Services) -> None:
    """A search that finds nothing proves something if it finds a key where one was put."""
    prompt = replace(cases(1)[0], prompt=f"My key is {TARGET_KEY}.")
    spec = job_spec(1)
    submit(services, replace(spec, suite=replace(spec.suite, cases=(prompt,))), tenant="acme")
    services.redis.set(f"canary:{services.queue.name}", JUDGE_KEY)
    assert len(traces(every_cell(services.store))) == 1
    assert len(traces(every_key_and_value(services.redis))) == 1
    services.redis.delete(f"canary:{services.queue.name}")
