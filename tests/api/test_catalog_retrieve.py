"""GET /v1/catalog."""

import jsonschema
from flask.testing import FlaskClient

from service.domain.catalog import CATEGORIES, STYLES, TECHNIQUES


def test_what_a_case_may_be_about_and_how_it_may_be_put(client: FlaskClient) -> None:
    catalog = client.get("/v1/catalog").json
    assert [category["id"] for category in catalog["categories"]] == list(CATEGORIES)
    assert [style["id"] for style in catalog["styles"]] == list(STYLES)
    assert [technique["id"] for technique in catalog["techniques"]] == list(TECHNIQUES)
    assert all(entry["definition"] for name in ("categories", "styles", "techniques") for entry in catalog[name])
    assert catalog["categories"][0]["astral_id"] == "c1"
    assert catalog["categories"][0]["mlcommons"] == ["vcr", "ncr"]


def test_plugins_with_their_options(client: FlaskClient) -> None:
    catalog = client.get("/v1/catalog").json
    found = {(kind, entry["type"]): entry for kind in ("generators", "targets", "judges") for entry in catalog[kind]}
    assert set(found) >= {
        ("generators", "matrix"),
        ("targets", "openai"),
        ("targets", "scripted"),
        ("judges", "rules"),
        ("judges", "llm"),
        ("judges", "guard"),
        ("judges", "moderation"),
    }
    for entry in found.values():
        assert entry["description"].endswith(".")
        jsonschema.Draft202012Validator.check_schema(entry["options"])
        assert "$ref" not in str(entry["options"])


def test_secrets_are_marked(client: FlaskClient) -> None:
    [openai] = [entry for entry in client.get("/v1/catalog").json["targets"] if entry["type"] == "openai"]
    options = openai["options"]
    assert options["properties"]["api_key"]["writeOnly"] is True
    assert options["additionalProperties"] is False
    assert sorted(options["required"]) == ["base_url", "model"]
    assert options["properties"]["parameters"]["properties"]["temperature"]["maximum"] == 2
