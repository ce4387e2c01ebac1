"""/openapi.yaml and /docs: complete without the internet."""

import re
from pathlib import Path

import pytest
from flask import Flask

from service.api.docs import SHOWN
from tests.api.conftest import assert_problem


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """None is asked."""
    return sqlite_url


def test_the_description_is_the_file_in_the_repository(app: Flask) -> None:
    response = app.test_client().get("/openapi.yaml")
    assert response.content_type == "application/yaml"
    assert response.text == (Path(__file__).parents[2] / "openapi.yaml").read_text()


def test_the_page_fetches_nothing_from_elsewhere(app: Flask) -> None:
    client = app.test_client()
    page = client.get("/docs")
    assert page.status_code == 200
    linked = re.findall(r'(?:src|href)="([^"]*)"', page.text)
    assert len(linked) >= 4
    for url in linked:
        assert url.startswith("/docs/")
        with client.get(url) as asset:
            assert asset.status_code == 200
    with client.get("/docs/start.js") as script, client.get("/docs/swagger-ui.css") as style:
        assert "validatorUrl: null" in script.text
        assert not re.findall(r"url\((?!\s*['\"]?(?:data:|#))", style.text)


def test_its_policy_forbids_inline_scripts_and_other_hosts(app: Flask) -> None:
    page = app.test_client().get("/docs")
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'; script-src 'self';" in policy
    assert "http" not in policy
    assert not re.search(r"<script(?![^>]* src=)", page.text)


@pytest.mark.parametrize("name", [*sorted(SHOWN), "start.js"])
def test_assets(app: Flask, name: str) -> None:
    response = app.test_client().get(f"/docs/{name}")
    assert response.status_code == 200
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    response.close()


@pytest.mark.parametrize("name", ["oauth2-redirect.html", "..%2f__init__.py", "nothing.js", "a/b"])
def test_nothing_else(app: Flask, name: str) -> None:
    assert_problem(app.test_client().get(f"/docs/{name}"), 404, "not_found")
