"""The service speaks to its database, its Redis and the models that a job names, and to nobody else.

A process of its own reports every address that Python's sockets touch in it while it answers requests and runs a job.
"""

import ipaddress
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from flask.testing import FlaskClient

from service.api.docs import SHOWN
from service.app import create_app
from service.settings import Settings
from tests.support.mock_openai import MockOpenAI, text
from tests.support.specs import REFUSAL
from tests.support.stack import environment

RECORDER = """
import sys
touched = []

def record(event, args):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        touched.append([event, args[1]])
    elif event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        touched.append([event, args[0]])

sys.addaudithook(record)
"""
WHOLE_JOB = """
import asyncio, json
from service.app import create_app
from service.domain.roles import Role
from service.llm import guard
from service.pipeline.execute import execute
from service.pipeline.plan import plan
from service.pipeline.services import Services
from service.settings import Settings
from service.store import keys

settings = Settings.from_env()
guard.allow(settings.allowed_networks)
services = Services.from_settings(settings)
with services.store.write() as session:
    _, key = keys.create(session, tenant="acme", name="admin", role=Role.ADMIN)
client = create_app(settings).test_client()
client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {key}"
body = {
    "target": {"type": "openai", "base_url": sys.argv[1], "model": "m"},
    "suite": {"generator": "matrix", "limit": 40},
    "judge": {"type": "rules"},
}
job_id = client.post("/v1/jobs", json=body).json["id"]
plan(services, job_id)
asyncio.run(execute(services, job_id, lambda: False))
path = f"/v1/jobs/{job_id}"
statuses = {
    url: client.get(url).status_code
    for url in ("/v1/jobs", path, path + "/results", path + "/report", "/metrics", "/openapi.yaml", *sys.argv[2:])
}
print(json.dumps({"touched": touched, "statuses": statuses, "status": client.get(path).json["status"]}))
"""
ATTEMPTS = """
import json
for event, args in json.loads(sys.argv[1]):
    sys.audit(event, *args)
print(json.dumps({"touched": touched, "statuses": {}, "status": ""}))
"""
ASSETS = ("/docs", "/docs/start.js", *(f"/docs/{name}" for name in sorted(SHOWN)))


@dataclass(frozen=True)
class Told:
    """What the process said of itself."""

    touched: list[tuple[str, object]]
    statuses: dict[str, int]
    status: str


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """A file: PostgreSQL's client connects by itself, and Python's sockets see nothing of it."""
    return sqlite_url


@pytest.fixture
def client(settings: Settings) -> Iterator[FlaskClient]:
    app = create_app(settings)
    yield app.test_client()
    app.extensions["proofhouse"][1].close()


def in_a_process(settings: Settings, script: str, *arguments: str) -> Told:
    command = [sys.executable, "-c", RECORDER + script, *arguments]
    done = subprocess.run(command, env=environment(settings), capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    return Told([tuple(touch) for touch in told["touched"]], told["statuses"], told["status"])


def outside(touched: list[tuple[str, object]]) -> list[tuple[str, object]]:
    """What is neither a Unix socket's path nor a loopback address."""
    return [(event, address) for event, address in touched if not _is_local(event, address)]


def _is_local(event: str, address: object) -> bool:
    host = address[0] if isinstance(address, list) else address
    if not isinstance(host, str):
        return False
    if host.startswith("/"):
        return event == "socket.connect"
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def test_a_whole_job_and_all_requests_touch_nothing_but_this_machine(settings: Settings) -> None:
    with MockOpenAI(text(REFUSAL)) as server:
        told = in_a_process(settings, WHOLE_JOB, server.base_url, *ASSETS)
        assert len(server.hits) == 40
    assert told.status == "completed"
    assert {url: status for url, status in told.statuses.items() if status != 200} == {}
    assert outside(told.touched) == []
    seen = [address for _, address in told.touched]
    assert ["127.0.0.1", server.port] in seen, "the recorder has seen the calls to the model"
    assert settings.redis_url.removeprefix("unix://") in seen, "the recorder has seen the connection to Redis"


@pytest.mark.parametrize(
    ("event", "args"),
    [
        ("socket.connect", (None, ["203.0.113.7", 443])),
        ("socket.connect", (None, ["2001:db8::7", 443, 0, 0])),
        ("socket.connect", (None, ["telemetry.example", 443])),
        ("socket.getaddrinfo", ("telemetry.example", 443, 0, 0, 0)),
        ("socket.gethostbyname", ("telemetry.example",)),
        ("socket.sendto", (None, ["203.0.113.7", 53])),
    ],
)
def test_the_recorder_sees_an_attempt_to_get_outside(settings: Settings, event: str, args: tuple[object, ...]) -> None:
    told = in_a_process(settings, ATTEMPTS, json.dumps([(event, args)]))
    assert [seen for seen, _ in outside(told.touched)] == [event]


ELSEWHERE = r"""["'`]?\s*(?:https?:|wss?:)?//"""
FETCHED = (
    # Of a page: whatever loads something by itself (a link that a person follows is none of it).
    rf"<(?:script|img|iframe|source|video|audio|embed|object)\b[^>]*\s(?:src|data|srcset)={ELSEWHERE}",
    rf"<link\b[^>]*\shref={ELSEWHERE}",
    # Of a style sheet.
    rf"url\(\s*{ELSEWHERE}",
    rf"@import\s*{ELSEWHERE}",
    # Of a script.
    rf"\b(?:fetch|import|importScripts|Worker|EventSource|WebSocket|sendBeacon)\(\s*{ELSEWHERE}",
    r"""\.open\(\s*["'`][A-Z]+["'`]\s*,\s*""" + ELSEWHERE,
    rf"\.src\s*=\s*{ELSEWHERE}",
    r"""\bsrc:\s*["'`](?:https?:)?//""",
)


def fetched_from_elsewhere(content: str) -> list[str]:
    """What a browser would load from another host on its own."""
    return [found.group() for pattern in FETCHED for found in re.finditer(pattern, content)]


@pytest.mark.parametrize("url", [asset for asset in ASSETS if not asset.endswith(".png")])
def test_no_asset_has_a_browser_fetch_from_elsewhere(client: FlaskClient, url: str) -> None:
    with client.get(url) as asset:
        assert asset.status_code == 200
        assert fetched_from_elsewhere(asset.get_data(as_text=True)) == []


def test_swagger_ui_is_told_not_to_send_the_description_to_its_validator(client: FlaskClient) -> None:
    assert "validatorUrl: null" in client.get("/docs/start.js").text


@pytest.mark.parametrize(
    "content",
    [
        '<script async src="https://cdn.example/a.js">',
        "<link rel=stylesheet href=//cdn.example/a.css>",
        "@font-face{src:url('https://fonts.example/a.woff2')}",
        '@import "https://fonts.example/a.css";',
        'fetch("https://telemetry.example/hit")',
        'request.open("GET","https://telemetry.example/hit")',
        "new Image().src='https://telemetry.example/hit'",
        'createElement("img",{src:"https://telemetry.example/hit"})',
    ],
)
def test_the_check_sees_what_a_browser_would_fetch(content: str) -> None:
    assert len(fetched_from_elsewhere(content)) == 1
