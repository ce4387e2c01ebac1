"""What the log says of a job, from its submission to its end: whose it is, and nothing that it works on.

Prompts, answers, verdicts' reasons and keys are made to turn up wherever they can, in errors of servers and of plug-ins
too. The lines are those of processes at the level info.
"""

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.api import context
from service.domain.cases import Case
from service.domain.completions import Completion
from service.pipeline.services import Services
from service.pipeline.sweep import sweep
from service.settings import Settings
from service.targets.base import targets
from tests.api.conftest import created, finish, judged, spec
from tests.support.logged import logged
from tests.support.mock_openai import Answer, Hit, MockOpenAI, payload, text
from tests.support.plugged import Answering, plugged
from tests.support.running import wind_back

PROMPT, ANSWER, REASON, KEY = "canary-prompt", "canary-answer", "canary-reason", "sk-canary-key"
CASES = 12


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """All lines from now on."""
    with logged() as written:
        yield written


def of_target(hit: Hit) -> Answer:
    """An answer, an error that echoes all it was sent, or something that is no answer."""
    told = f"{hit.body} {hit.headers}"
    kinds = (text(f"{ANSWER} {told}"), payload({"error": {"message": told, "code": told}}, 500), text([told]))
    return kinds[hit.number % len(kinds)]


def of_judge(hit: Hit) -> Answer:
    told = f"{REASON} {hit.body} {hit.headers}"
    kinds = (text(json.dumps({"verdict": "unsafe", "reason": told})), text(told), payload({"error": told}, 400))
    return kinds[hit.number % len(kinds)]


def wanted(target: dict[str, Any], **fields: Any) -> dict[str, Any]:
    cases = [{"prompt": f"{PROMPT} {index}"} for index in range(CASES)]
    return spec(suite={"cases": cases}, target=target, **fields)


def lines(log: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


def test_a_job_leaves_no_text_and_no_key_in_the_log_whatever_its_models_say(
    client: FlaskClient, services: Services, log: io.StringIO
) -> None:
    with MockOpenAI(of_target) as target, MockOpenAI(of_judge) as judge:
        options = {"model": "m", "api_key": KEY, "max_attempts": 1, "max_concurrency": 1}
        body = wanted(
            {"type": "openai", "base_url": target.base_url, **options},
            judge={"type": "llm", "base_url": judge.base_url, **options},
        )
        job_id = created(client, body)
        wind_back(services)
        sweep(services)
        finish(services, job_id)
        client.get(f"/v1/jobs/{job_id}/results").close()
    assert len(target.hits) == CASES
    assert "canary" not in log.getvalue()
    assert f"{job_id} completed" in [line["event"] for line in lines(log)]


def test_every_line_of_a_job_says_which_job_it_is_and_whose(
    client: FlaskClient, services: Services, log: io.StringIO
) -> None:
    job_id = created(client, wanted({"type": "scripted", "replies": [{"text": ANSWER}]}))
    wind_back(services)
    sweep(services)
    finish(services, job_id)
    told = [line for line in lines(log) if line["event"] != "request"]
    assert {"waking", "completed"} <= {word for line in told for word in line["event"].split()}
    assert {(line["job_id"], line["tenant"]) for line in told} == {(job_id, "acme")}


def test_what_a_request_does_to_a_job_or_judgement_is_logged_with_its_id(
    client: FlaskClient, finished_job: str, log: io.StringIO
) -> None:
    queued, judgement = created(client, spec()), judged(client, finished_job)
    for path in (f"/v1/jobs/{queued}", judgement):
        client.post(f"{path}/cancel").close()
    ended = [line for line in lines(log) if line["event"].endswith("cancelled")]
    assert [(line["job_id"], line["tenant"]) for line in ended] == [
        (queued, "acme"),
        (judgement.rsplit("/", 1)[-1], "acme"),
    ]
    requests = [line for line in lines(log) if line["event"] == "request" and line["route"].endswith("cancel")]
    assert [line["job_id"] for line in requests] == [line["job_id"] for line in ended]


def test_what_is_no_id_is_not_logged_as_one(client: FlaskClient, log: io.StringIO) -> None:
    client.get(f"/v1/jobs/{KEY}").close()
    (line,) = lines(log)
    assert "job_id" not in line
    assert "canary" not in log.getvalue()


def test_a_job_that_can_not_be_queued_is_logged_with_its_id(
    app: Flask, client: FlaskClient, settings: Settings, log: io.StringIO
) -> None:
    app.extensions["proofhouse"][1].close()
    context.attach(app, replace(settings, redis_url="redis://127.0.0.1:1"))
    job_id = created(client, spec())
    assert [line["job_id"] for line in lines(log) if "sweeper" in line["event"]] == [job_id]


def test_cases_leave_no_lines(client: FlaskClient, services: Services, log: io.StringIO) -> None:
    finish(services, created(client, wanted({"type": "scripted", "replies": [{"text": ANSWER}]})))
    assert len(lines(log)) < CASES


class Quoting(Answering):
    """A plug-in whose error has everything in it."""

    async def complete(self, case: Case) -> Completion:
        raise ValueError(f"{case.prompt} {KEY}")


class Unbuildable(Answering):
    def __init__(self, *_: Any) -> None:
        raise ValueError(KEY)


@pytest.mark.parametrize("plugin", [Quoting, Unbuildable])
def test_nor_does_a_plugin_whose_error_quotes_them(
    client: FlaskClient, services: Services, log: io.StringIO, plugin: type
) -> None:
    with plugged(targets, plugin) as name:
        finish(services, created(client, wanted({"type": name})))
    assert "canary" not in log.getvalue()
    failures = [line for line in lines(log) if "exception" in line]
    assert failures
    assert all("test_job_in_the_log.py" in line["exception"] for line in failures)
