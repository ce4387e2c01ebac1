"""What a webhook is told when a job has ended, and how that is signed: the Standard Webhooks specification, version 1.

No prompt, no answer and no key is part of it: whoever receives webhooks logs them.
"""

import base64
import hmac
import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC
from typing import Any

from service.domain.jobs import Job
from service.domain.report import gate
from service.domain.tallies import Tally, total

ENCODED = "whsec_"
"""What a secret begins with that is a key in base64."""


def event_type(job: Job) -> str:
    """What has happened to an ended job: `job.completed`, `job.failed` or `job.cancelled`."""
    return f"job.{job.status}"


def event(job: Job, tallies: Sequence[Tally]) -> str:
    """The body, as JSON, that tells of a job's end, from the job as it is then."""
    assert job.finished_at  # noqa: S101 - it has ended
    counts, here = total(tallies), f"/v1/jobs/{job.id}"
    data: dict[str, Any] = {
        "id": job.id,
        "name": job.name,
        "status": job.status.value,
        "status_reason": asdict(job.status_reason) if job.status_reason else None,
        "progress": {"total": job.total, "done": counts.done, **asdict(counts)},
        "gate": asdict(gate(job, tallies)),
        "labels": dict(job.labels),
        "links": {"self": here, "results": f"{here}/results", "report": f"{here}/report"},
    }
    timestamp = job.finished_at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return json.dumps({"type": event_type(job), "timestamp": timestamp, "data": data})


def key_of(secret: str) -> bytes:
    """The key that a secret stands for: the base64 behind `whsec_`, or the UTF-8 of any other text.

    Raises:
        ValueError: what stands behind `whsec_` is not base64, or nothing.
    """
    if not secret.startswith(ENCODED):
        return secret.encode()
    try:
        key = base64.b64decode(secret.removeprefix(ENCODED), validate=True)
    except ValueError:
        key = b""
    if not key:
        raise ValueError(f"Behind {ENCODED} must stand a key in base64.")
    return key


def signed_headers(secret: str, message_id: str, seconds: int, body: bytes) -> dict[str, str]:
    """The headers of one attempt to send a body, made `seconds` after the epoch."""
    signed = f"{message_id}.{seconds}.".encode() + body
    signature = base64.b64encode(hmac.digest(key_of(secret), signed, "sha256")).decode()
    return {"webhook-id": message_id, "webhook-timestamp": str(seconds), "webhook-signature": f"v1,{signature}"}
