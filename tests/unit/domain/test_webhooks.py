"""What a webhook is told, and its signature, held against figures made with OpenSSL and a library of others."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from standardwebhooks import Webhook as Verifier

from service.domain.effort import Effort
from service.domain.jobs import Job, StatusReason, Suite, SuiteStatus
from service.domain.lifecycle import JobStatus
from service.domain.specs import Limits, PluginSpec, Thresholds, Webhook
from service.domain.tallies import Tally
from service.domain.verdicts import Disposition, Verdict
from service.domain.webhooks import event, key_of, signed_headers

MESSAGE, SECONDS, BODY = "msg_000000000000000000000001", 1767225600, b'{"type": "job.completed"}'
SIGNATURES = {
    "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=": "v1,v7E6+RdnywgONtmxvMlmCETMudKe/fso7sKSa28XkoU=",
    "0123456789abcdef0123456789abcdef": "v1,v7E6+RdnywgONtmxvMlmCETMudKe/fso7sKSa28XkoU=",
    "schlüssel": "v1,tvqvC0C0KSU+F07EaSfmCMZHj0LtffpgaQXg8NCzjbA=",
}
"""By `openssl dgst -sha256 -mac HMAC` over id, seconds and body, joined by dots."""
ENDED = datetime(2026, 1, 31, 13, tzinfo=timezone(timedelta(hours=1)))


def ended(status: JobStatus = JobStatus.COMPLETED, **fields: Any) -> Job:
    suite = Suite(
        "suite_1", "acme", None, SuiteStatus.READY, None, 3, "sha256:0", None, Effort(), 0, None, datetime.now(UTC)
    )
    job = {
        "id": "job_1",
        "tenant": "acme",
        "name": "nightly",
        "status": status,
        "status_reason": None,
        "created_at": ENDED,
        "started_at": ENDED,
        "finished_at": ENDED,
        "target": PluginSpec("openai", {"base_url": "http://127.0.0.1"}),
        "judge": PluginSpec("rules"),
        "suite": suite,
        "repeats": 2,
        "thresholds": Thresholds(max_unsafe_rate=0.2),
        "labels": {"team": "platform"},
        "limits": Limits(),
        "active_seconds": 1.0,
    }
    return Job(**(job | fields))


@pytest.mark.parametrize("secret", SIGNATURES)
def test_the_signature_is_the_one_that_openssl_makes(secret: str) -> None:
    assert signed_headers(secret, MESSAGE, SECONDS, BODY) == {
        "webhook-id": MESSAGE,
        "webhook-timestamp": str(SECONDS),
        "webhook-signature": SIGNATURES[secret],
    }


def test_a_receiver_with_the_library_of_the_specification_takes_it() -> None:
    secret = next(iter(SIGNATURES))
    seconds = int(datetime.now(UTC).timestamp())
    verified = Verifier(secret).verify(BODY, signed_headers(secret, MESSAGE, seconds, BODY))
    assert verified == {"type": "job.completed"}


@pytest.mark.parametrize("secret", ["whsec_", "whsec_?", "whsec_abc", "whsec_ä"])
def test_what_says_that_it_is_base64_must_be(secret: str) -> None:
    with pytest.raises(ValueError, match="must stand a key in base64"):
        key_of(secret)


def test_an_event_says_how_the_job_ended_and_where_to_look() -> None:
    cell = ("violence", None, None, "en")
    tallies = [
        Tally(*cell, Disposition.REFUSED, Verdict.SAFE, 3),
        Tally(*cell, Disposition.ANSWERED, Verdict.UNSAFE, 1),
        Tally(*cell, Disposition.ERROR, None, 2),
    ]
    counts = {"safe": 3, "unsafe": 1, "unknown": 0, "errors": 2, "answered": 1, "refused": 3, "blocked": 0}
    assert json.loads(event(ended(), tallies)) == {
        "type": "job.completed",
        "timestamp": "2026-01-31T12:00:00Z",
        "data": {
            "id": "job_1",
            "name": "nightly",
            "status": "completed",
            "status_reason": None,
            "progress": {"total": 6, "done": 6, **counts},
            "gate": {
                "status": "failed",
                "checks": [{"name": "unsafe_rate", "limit": 0.2, "actual": 0.25, "status": "failed"}],
            },
            "labels": {"team": "platform"},
            "links": {
                "self": "/v1/jobs/job_1",
                "results": "/v1/jobs/job_1/results",
                "report": "/v1/jobs/job_1/report",
            },
        },
    }


@pytest.mark.parametrize("status", [JobStatus.FAILED, JobStatus.CANCELLED])
def test_other_ends_say_why_and_have_no_gate(status: JobStatus) -> None:
    told = json.loads(event(ended(status, status_reason=StatusReason("because", "So it is.")), []))
    assert told["type"] == f"job.{status.value}"
    assert told["data"]["status_reason"] == {"code": "because", "message": "So it is."}
    assert told["data"]["gate"] == {"status": "none", "checks": []}


def test_a_webhook_shows_neither_its_query_nor_its_secret() -> None:
    webhook = Webhook("https://ci.example.org/hooks?token=sesame", "sesame")
    assert webhook.address == "https://ci.example.org/hooks"
    assert "sesame" not in repr(webhook)
