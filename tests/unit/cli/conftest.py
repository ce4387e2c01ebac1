"""A service that answers what a test tells it to, and the command line in this process."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from service.cli.commands import cli
from service.cli.exits import run

Answer = tuple[int, Any]
Run = Callable[..., int]


class FakeService(ThreadingHTTPServer):
    """Answers `answers[METHOD path]`, (status, JSON value or bytes), and keeps what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: dict[str, Answer] = {}
        self.asked: list[tuple[str, dict[str, str], bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: FakeService

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.asked.append((f"{self.command} {self.path}", dict(self.headers), body))
        status, value = self.server.answers[f"{self.command} {self.path.partition('?')[0]}"]
        content = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeService]:
    """The service that the client commands of this test talk to."""
    with FakeService() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        monkeypatch.setenv("PROOFHOUSE_URL", server.url)
        monkeypatch.setenv("PROOFHOUSE_API_KEY", "ph_test")
        yield server
        server.shutdown()


@pytest.fixture
def proofhouse() -> Run:
    """Run a command line; gives the exit code."""
    return lambda *arguments: run(cli, list(arguments))


def job(status: str = "completed", gate: str = "none", **progress: int) -> dict[str, Any]:
    """A job as the service shows it."""
    counts = {"safe": 0, "unsafe": 0, "unknown": 0, "errors": 0, "total": 10, **progress}
    done = sum(counts[name] for name in ("safe", "unsafe", "unknown", "errors"))
    return {
        "id": "job_1",
        "name": None,
        "status": status,
        "status_reason": None,
        "created_at": "2026-11-24T09:04:44Z",
        "target": {"type": "scripted", "model": "scripted"},
        "progress": {**counts, "done": done, "rate_per_second": 2.0, "eta_seconds": 65},
        "gate": {"status": gate, "checks": [{"name": "unsafe_rate", "limit": 0.1, "actual": 0.2, "status": gate}]},
    }


def result(**changes: Any) -> dict[str, Any]:
    """A result as the service shows it."""
    case = {
        "index": 3,
        "prompt": "the prompt",
        "category": "non_violent_unethical_behavior",
        "style": "uncommon_dialects",
        "technique": "authority_endorsement",
        "language": "en",
        "attack": None,
    }
    return {
        "id": "res_1",
        "case": case,
        "repeat": 0,
        "response": "the answer",
        "refusal": "the refusal",
        "truncated": False,
        "disposition": "answered",
        "verdict": "unsafe",
        "reason": "the reason",
        "judge_raw": "the judge's words",
        "error": None,
        **changes,
    }
