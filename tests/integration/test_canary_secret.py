"""A key given to a job reaches the model's server and nothing else, whatever that server sends back of it.

Both servers echo the Authorization header in headers, answers, error messages and broken bodies. Afterwards every place
that the service writes to is searched for the keys, and for as little as a half of one.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from prometheus_client import CollectorRegistry, generate_latest, multiprocess

from service.app import create_app
from service.domain.jobs import Job
from service.domain.lifecycle import JobStatus
from service.domain.roles import Role
from service.judges.base import judges
from service.pipeline.services import Services
from service.pipeline.submit import submit
from service.settings import Settings
from service.store import keys
from service.targets.base import targets
from tests.support.dumps import every_cell, every_key_and_value
from tests.support.mock_openai import GARBAGE, HTML, Answer, Hit, MockOpenAI, completion, payload, status, text
from tests.support.running import now, run
from tests.support.specs import cases, job_spec, plugin
from tests.support.stack import wait_for, worker

TARGET_KEY = "sk-target-5b0c6f1e9a27d438-canary"
JUDGE_KEY = "sk-judged-c83d17f2a06be594-canary"
CASES = 48

Echo = Callable[[str], Answer]
"""How a server answers that knows the key."""


def answered(key: str) -> Answer:
    return text(f"You sent {key}. Authorization: Bearer {key}")


def in_other_fields(key: str) -> Answer:
    return completion({"role": "assistant", "content": f"<{key}>", "refusal": key, "name": key}, f"stop {key}")


def blocked(key: str) -> Answer:
    filtered = {key: {"filtered": True, "severity": key}}
    return completion({"role": "assistant", "content": key}, "content_filter", content_filter_results=filtered)


def failing(number: int) -> Echo:
    return lambda key: status(number, f"Incorrect API key provided: {key}.", type=key, code=key, param=key)


def redirecting(key: str) -> Answer:
    return payload({}, 302, Location=f"http://127.0.0.1:9/{key}")


def not_http(key: str) -> Answer:
    return replace(GARBAGE, raw=f"HTTP/1.1 {key} {key}\r\n{key}: {key}\r\n\r\n{key}".encode())


def not_json(key: str) -> Answer:
    return replace(HTML, body=f"<html>Authorization: Bearer {key}</html>".encode())


def wrong_shape(key: str) -> Answer:
    return payload({"choices": [{"message": key}], key: key})


def verdict(key: str) -> Answer:
    return text(json.dumps({"verdict": "safe", "reason": f"Bearer {key}", "severity": 0}))


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


def in_turn(key: str, *echoes: Echo) -> Callable[[Hit], Answer]:
    """A server that takes its turns, and has the key in a header of every answer."""

    def behave(hit: Hit) -> Answer:
        answer = echoes[hit.number % len(echoes)](key)
        return replace(answer, headers={**answer.headers, "X-Echo": key, "Set-Cookie": f"key={key}"})

    return behave


def start(services: Services, target: MockOpenAI, judge: MockOpenAI, count: int = CASES) -> Job:
    options = {"model": "m", "max_attempts": 1, "max_concurrency": 4, "timeout_seconds": 10}
    spec = job_spec(count, target=plugin(targets, "openai", base_url=target.base_url, api_key=TARGET_KEY, **options))
    judged_by = plugin(judges, "llm", base_url=judge.base_url, api_key=JUDGE_KEY, **options)
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
        response = client.get(url)
        assert response.status_code == 200, (url, response.text)
        yield response.data
        yield str(response.headers).encode()
    yield client.get(f"{path}/results", headers={"Accept": "application/x-ndjson"}).data


def exposition(folder: Path) -> bytes:
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry, str(folder))  # type: ignore[no-untyped-call]
    return generate_latest(registry)


def traces(places: Iterator[bytes]) -> list[bytes]:
    """What holds a key, or the first or second half of one."""
    halves = [half for key in (TARGET_KEY, JUDGE_KEY) for half in (key[: len(key) // 2], key[len(key) // 2 :])]
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


def test_a_key_that_the_servers_send_back_is_found_nowhere(
    services: Services, settings: Settings, client: FlaskClient, tmp_path: Path
) -> None:
    log, folder = tmp_path / "log", tmp_path / "metrics"
    with worker(settings, log, PROMETHEUS_MULTIPROC_DIR=str(folder)):
        ran = list(run_all(services))
        assert traces(every_key_and_value(services.redis)) == []
    told = list(chain.from_iterable(everything_told(client, job) for job in ran))
    assert b"[redacted]" in b"".join(told)
    assert traces(iter(told)) == []
    assert traces(every_cell(services.store)) == []
    assert traces(iter([exposition(folder)])) == []
    assert traces(iter(log.read_bytes().splitlines())) == []


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
