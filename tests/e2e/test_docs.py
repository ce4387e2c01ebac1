"""The pages that people read: every command in a ```bash block is run, and prints what the page shows."""

import os
import shutil
import socket
from pathlib import Path

import pytest

from service.cli.databases import opened, sqlite_url
from service.cli.environment import DataFolder
from service.cli.keyfiles import ensure_admin_key, ensure_secret_key
from service.domain.roles import Role
from service.store import keys
from tests.e2e import pages
from tests.e2e.stack import up
from tests.support import postgres_tools
from tests.support.mock_openai import MockOpenAI
from tests.support.thorough import in_depth

pytestmark = pytest.mark.skipif(
    not (shutil.which("bash") and shutil.which("curl")), reason="the pages are written for bash and curl"
)

URL = "http://127.0.0.1:8000"
MODEL_URL = "http://127.0.0.1:8081/v1"
RECEIVER_PORT = "8300"
PAGES = (
    *("README.md", "docs/getting-started.md", "docs/ci.md", "docs/api.md", "docs/suites.md", "docs/judging-again.md"),
    "docs/webhooks.md",
)


def test_the_commands_of_the_pages_do_what_they_show(tmp_path: Path) -> None:
    """They share a stack, for a start takes seconds; the README finds it new, as its reader does."""
    with MockOpenAI() as model, up(tmp_path / ".proofhouse", "--workers", "1") as stack:
        here = {RECEIVER_PORT: str(free_port()), URL: stack.url, MODEL_URL: model.base_url}
        for page in PAGES:
            pages.run(page, tmp_path, here)


@in_depth
def test_the_parts_run_on_their_own_as_the_page_says(tmp_path: Path, postgres_url: str, valkey_url: str) -> None:
    pages.run(
        "docs/operating.md",
        tmp_path,
        {
            "postgresql+psycopg://proofhouse:password@db.internal/proofhouse": postgres_url,
            "redis://redis.internal:6379/0": valkey_url,
            "8000": str(free_port()),
            "9100": str(free_port()),
        },
    )


@in_depth
def test_a_database_is_saved_and_restored_as_the_page_says(
    tmp_path: Path, sqlite_template: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The databases alone; that jobs go on afterwards is in tests/integration/test_backup.py."""
    monkeypatch.setenv("PATH", f"{postgres_tools.FOLDER}{os.pathsep}{os.environ['PATH']}")
    folder = DataFolder(tmp_path / ".proofhouse")
    folder.path.mkdir()
    shutil.copy(sqlite_template, folder.database)
    ensure_secret_key(folder.secret_key)
    with opened(sqlite_url(folder.database)) as store:
        ensure_admin_key(folder.admin_key, store)
    with opened(postgres_url) as store, store.write() as session:
        keys.create(session, tenant="acme", name="dashboard", role=Role.READER)
    uri = postgres_url.replace("+psycopg", "", 1)
    shown = "postgresql://proofhouse:password@db.internal/"
    pages.run(
        "docs/backup.md",
        tmp_path,
        {f"{shown}proofhouse": uri, f"{shown}restored": uri.replace("/proofhouse", "/restored", 1)},
    )


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
