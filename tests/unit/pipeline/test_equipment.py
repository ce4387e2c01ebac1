"""Which calls are counted together."""

import uuid

import pytest

from service.domain.specs import PluginSpec
from service.pipeline.equipment import Throttle
from service.pipeline.services import Services


def wait_of_the_second(services: Services, first: PluginSpec, second: PluginSpec) -> float:
    """How long a call must wait, on account of its pace, for one that was sent just before."""
    for spec in (first, second):
        requests = Throttle(services, "acme", spec, uuid.uuid4().hex).limiter._requests
        assert requests
        wait = requests.reserve(1)
    return wait


def model(kind: str, base_url: str, name: str) -> PluginSpec:
    return PluginSpec(kind, {"base_url": base_url, "model": name, "requests_per_minute": 60})


@pytest.mark.parametrize(
    ("kind", "address", "together"),
    [("llm", "http://m/v1", True), ("openai", "http://m/v1/", True), ("openai", "http://n/v1", False)],
    ids=["target and judge", "with a slash at the end", "another address"],
)
def test_calls_of_one_model_keep_to_one_pace(services: Services, kind: str, address: str, *, together: bool) -> None:
    name = uuid.uuid4().hex
    wait = wait_of_the_second(services, model("openai", "http://m/v1", name), model(kind, address, name))
    assert (wait > 0) is together
