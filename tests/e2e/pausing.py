"""A job paused in its middle, everything stopped and started again, and the job resumed: no call is paid twice."""

import time
from dataclasses import dataclass
from typing import Any

import httpx2

from tests.e2e.stack import RunningStack
from tests.support.mock_openai import MockOpenAI
from tests.support.stack import wait_for

CASES = 300
CONCURRENCY = 8


@dataclass
class PausedJob:
    """A job that was paused while calls to its target were under way, and that target."""

    path: str
    server: MockOpenAI


def paused_in_its_middle(stack: RunningStack, server: MockOpenAI) -> PausedJob:
    """Submit a job against a slow target, and pause it once it has some results."""
    spec = {
        "target": {"type": "openai", "base_url": server.base_url, "model": "m", "max_concurrency": CONCURRENCY},
        "suite": {"generator": "matrix", "limit": CASES},
        "judge": {"type": "rules"},
    }
    path = f"/v1/jobs/{_ask(stack, 'POST', '/v1/jobs', json=spec)['id']}"
    wait_for(lambda: _done(stack, path) > 20, 40, "first results")
    _ask(stack, "POST", f"{path}/pause")
    return PausedJob(path, server)


def goes_on_where_it_was(stack: RunningStack, job: PausedJob) -> None:
    """With the stack started again: nothing is asked until the job is resumed, and then no more than was lost."""
    # The stack has ended: what was under way at the pause has been stored, or will be asked again.
    paid = len(job.server.hits)
    assert 20 < paid < CASES
    time.sleep(6)  # longer than between two sweeps
    assert _ask(stack, "GET", job.path)["status"] == "paused"
    assert len(job.server.hits) == paid
    stored = _done(stack, job.path)
    _ask(stack, "POST", f"{job.path}/resume")
    wait_for(lambda: _ask(stack, "GET", job.path)["status"] == "completed", 60, "the end")
    results = _ask(stack, "GET", f"{job.path}/results?limit=1000")["data"]
    assert [result["case"]["index"] for result in results] == list(range(CASES))
    assert paid - stored <= CONCURRENCY
    assert len(job.server.hits) == CASES + paid - stored


def _done(stack: RunningStack, path: str) -> int:
    return int(_ask(stack, "GET", path)["progress"]["done"])


def _ask(stack: RunningStack, method: str, path: str, **body: Any) -> dict[str, Any]:
    key = (stack.folder / "admin.key").read_text().strip()
    with httpx2.Client(trust_env=False, base_url=stack.url, headers={"Authorization": f"Bearer {key}"}) as client:
        answer = client.request(method, path, **body)
    assert answer.is_success, answer.text
    content: dict[str, Any] = answer.json()
    return content
