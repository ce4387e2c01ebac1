"""GET /v1/suites/{id}/coverage of suites that promise every pair or triple."""

from itertools import combinations
from math import prod
from typing import Any

import pytest
from flask.testing import FlaskClient

from service.domain.catalog import CATEGORIES, STYLES, TECHNIQUES
from service.pipeline.plan import make_suite
from service.pipeline.services import Services

SIZES = (len(CATEGORIES), len(STYLES), len(TECHNIQUES), 3)


def covered(client: FlaskClient, services: Services, **options: Any) -> dict[str, Any]:
    """What the service says of the coverage of a suite of the matrix generator in three languages."""
    suite = client.post("/v1/suites", json={"generator": "matrix", "languages": ["en", "es", "ja"], **options}).json
    make_suite(services, suite["id"])
    found: dict[str, Any] = client.get(suite["links"]["coverage"]).json
    return found


@pytest.mark.parametrize("strength", [2, 3])
def test_a_sample_of_that_strength_covers_every_combination_and_says_so(
    client: FlaskClient, services: Services, strength: int
) -> None:
    found = covered(client, services, strength=strength)
    assert found["size"] == len(found["cells"]) < prod(SIZES)
    possible = sum(prod(sizes) for sizes in combinations(SIZES, strength))
    by_features = found["combinations"].pop("by_features")
    assert found["combinations"] == {"strength": strength, "possible": possible, "covered": possible, "complete": True}
    assert [part["possible"] for part in by_features] == [prod(sizes) for sizes in combinations(SIZES, strength)]
    assert all(part["covered"] == part["possible"] for part in by_features)


def test_a_limit_that_breaks_the_promise_is_seen(client: FlaskClient, services: Services) -> None:
    found = covered(client, services, strength=2, limit=20, styles=["slang"])["combinations"]
    assert found["complete"] is False
    assert 0 < found["covered"] < found["possible"]
    pairs = {tuple(part["features"]): (part["covered"], part["possible"]) for part in found["by_features"]}
    assert pairs["style", "language"] == (3, 3)
    assert pairs["category", "technique"][1] == 14 * 5
    assert sum(many for many, _ in pairs.values()) == found["covered"]


def test_a_suite_that_promises_nothing_of_the_kind_shows_none(client: FlaskClient, services: Services) -> None:
    assert covered(client, services, limit=10)["combinations"] is None
    given = client.post("/v1/suites", json={"cases": [{"prompt": "How?"}]}).json
    assert client.get(given["links"]["coverage"]).json["combinations"] is None
