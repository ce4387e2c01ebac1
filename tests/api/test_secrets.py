"""A secret that comes in never goes out, in no answer and no log."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.api.conftest import spec

CANARY = "canary-7f3a9"
MODEL = {"base_url": "http://127.0.0.1:9/v1", "model": "m", "api_key": CANARY}


def _bodies() -> list[dict[str, Any]]:
    target = {"type": "openai", **MODEL}
    good = spec(target=target, judge={"type": "llm", **MODEL})
    return [
        good,
        {**good, "repeats": 0},
        spec(target={**target, "max_attempts": CANARY}),
        spec(target={**target, "api_key": [CANARY]}),
        spec(target={**target, "api_key": CANARY + " \n"}),
        spec(target={**target, "api_key": CANARY * 1000}),
        spec(target={**target, "base_url": f"http://user:{CANARY}@host/v1"}),
        spec(target={**target, "parameters": {"temperature": CANARY}}),
        spec(target={"type": "openai", "api_key": CANARY}),
        spec(target={"type": "scripted", "replies": [{}], "api_key": CANARY}),
        spec(target={"type": "oracle", "api_key": CANARY}),
        spec(target=CANARY),
        spec(webhook={"url": "https://h", "secret": CANARY}),
    ]


def test_it_is_in_no_answer_and_no_log(
    app: Flask, client: FlaskClient, caplog: pytest.LogCaptureFixture, caplog_level: None
) -> None:
    seen = []
    for body in _bodies():
        response = client.post("/v1/jobs", json=body, headers={"Idempotency-Key": str(len(seen))})
        seen += [response.text, str(response.headers)]
        if response.status_code == 202:
            path = response.headers["Location"]
            for url in (path, f"{path}/report", f"{path}/results", "/v1/jobs", "/v1/catalog", "/metrics"):
                seen.append(client.get(url).text)
            for verb in ("pause", "resume", "cancel"):
                seen.append(client.post(f"{path}/{verb}").text)
    assert len(seen) > 2 * len(_bodies())
    assert not [text for text in [*seen, caplog.text] if CANARY in text]


@pytest.fixture
def caplog_level(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
