"""The pages that people read: every command in a ```bash block is run, and prints what the page shows."""

import shutil
import socket
from pathlib import Path

import pytest

from tests.e2e import pages
from tests.e2e.stack import up
from tests.support.mock_openai import MockOpenAI

pytestmark = pytest.mark.skipif(
    not (shutil.which("bash") and shutil.which("curl")), reason="the pages are written for bash and curl"
)

URL = "http://127.0.0.1:8000"
MODEL_URL = "http://127.0.0.1:8081/v1"
DOCS = ("docs/getting-started.md", "docs/ci.md", "docs/api.md", "docs/suites.md", "docs/judging-again.md")


@pytest.mark.parametrize("several", [("README.md",), DOCS], ids=["README", "docs"])
def test_the_commands_of_a_page_do_what_it_shows(several: tuple[str, ...], tmp_path: Path) -> None:
    """Pages share a stack, for a start takes seconds; the README has one of its own, as its reader has."""
    with MockOpenAI() as model, up(tmp_path / ".proofhouse", "--workers", "1") as stack:
        for page in several:
            pages.run(page, tmp_path, {URL: stack.url, MODEL_URL: model.base_url})


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


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
