"""A job paused in its middle, everything stopped and started again, and the job resumed: no call is paid twice."""

import time
from pathlib import Path
from typing import Any

import httpx2

from tests.e2e.stack import RunningStack, up
from tests.support.mock_openai import MockOpenAI, text
from tests.support.specs import REFUSAL
from tests.support.stack import wait_for

CASES = 300
CONCURRENCY = 8


def test_a_job_paused_over_a_restart_goes_on_where_it_was(tmp_path: Path) -> None:
    with MockOpenAI(text(REFUSAL).after(0.1)) as server:
        with up(tmp_path) as stack:
            path = submit(stack, server)
            wait_for(lambda: done(stack, path) > 20, 20, "first results")
            ask(stack, "POST", f"{path}/pause")
        # The stack has ended: what was under way at the pause has been stored, or will be asked again.
        paid = len(server.hits)
        assert 20 < paid < CASES
        with up(tmp_path) as again:
            time.sleep(6)  # longer than between two sweeps
            assert ask(again, "GET", path)["status"] == "paused"
            assert len(server.hits) == paid
            stored = done(again, path)
            ask(again, "POST", f"{path}/resume")
            wait_for(lambda: ask(again, "GET", path)["status"] == "completed", 60, "the end")
            results = ask(again, "GET", f"{path}/results?limit=1000")["data"]
        assert [result["case"]["index"] for result in results] == list(range(CASES))
        assert paid - stored <= CONCURRENCY
        assert len(server.hits) == CASES + paid - stored


def submit(stack: RunningStack, server: MockOpenAI) -> str:
    """Gives the job's path."""
    spec = {
        "target": {"type": "openai", "base_url": server.base_url, "model": "m", "max_concurrency": CONCURRENCY},
        "suite": {"generator": "matrix", "limit": CASES},
        "judge": {"type": "rules"},
    }
    return f"/v1/jobs/{ask(stack, 'POST', '/v1/jobs', json=spec)['id']}"


def done(stack: RunningStack, path: str) -> int:
    return int(ask(stack, "GET", path)["progress"]["done"])


def ask(stack: RunningStack, method: str, path: str, **body: Any) -> dict[str, Any]:
    key = (stack.folder / "admin.key").read_text().strip()
    with httpx2.Client(trust_env=False, base_url=stack.url, headers={"Authorization": f"Bearer {key}"}) as client:
        answer = client.request(method, path, **body)
    assert answer.is_success, answer.text
    content: dict[str, Any] = answer.json()
    return content
