"""0 connections to a port on which something else than a model is served, unless its network is allowed."""

import httpx
import pytest
from marshmallow import ValidationError

from service.domain.completions import ErrorCode
from service.llm.guard import RefusedAddressError
from service.llm.options import EndpointOptions
from tests.integration.test_refused_addresses import error_of, get
from tests.support.connects import network

PORTS = [1, 22, 25, 110, 445, 1023, 2375, 2379, 3306, 5432, 6379, 6443, 6667, 9200, 10250, 11211, 27017]
OPEN = [80, 443, 1024, 8000, 8443, 11434]
HOSTS = ["8.8.8.8", "[2606:4700::1]", "pub.example"]
NAMES = {"pub_example": ["8.8.8.8", "2606:4700::1"]}


@pytest.mark.parametrize("port", PORTS)
def test_no_call_and_no_search_reaches_a_port_that_is_refused(port: int) -> None:
    with network(**NAMES) as recorded:
        for host in HOSTS:
            error = error_of(f"http://{host}:{port}/v1")
            assert error is not None
            assert error.code is ErrorCode.ADDRESS_REFUSED, error.message
            assert error.stops_job
            assert f"(port {port})" in error.message
            assert "PROOFHOUSE_ALLOWED_NETWORKS" in error.message
            with pytest.raises(RefusedAddressError, match=rf"^port {port}$"):
                get(f"http://{host}:{port}/")
    assert recorded.connects == []


@pytest.mark.parametrize("port", OPEN)
def test_the_recorder_sees_a_connection_to_any_other_port(port: int) -> None:
    with network(**NAMES) as recorded:
        assert error_of(f"http://8.8.8.8:{port}/v1") is not None
        with pytest.raises(httpx.ConnectError):
            get(f"http://8.8.8.8:{port}/")
    assert recorded.connects == ["8.8.8.8"] * 2


def test_a_network_that_is_allowed_is_reached_at_every_port() -> None:
    with network("8.8.8.0/24", ours_example=["8.8.8.8"], theirs_example=["1.1.1.1"]) as recorded:
        reached = error_of("http://ours.example:6379/v1")
        refused = error_of("http://theirs.example:6379/v1")
    assert reached is not None
    assert reached.code is ErrorCode.UNREACHABLE
    assert refused is not None
    assert refused.code is ErrorCode.ADDRESS_REFUSED
    assert recorded.connects == ["8.8.8.8"]


def test_a_name_with_an_address_outside_of_what_is_allowed_has_no_port_of_its_own() -> None:
    with network("8.8.8.0/24", mixed_example=["8.8.8.8", "1.1.1.1"]) as recorded:
        error = error_of("http://mixed.example:6379/v1")
    assert error is not None
    assert error.code is ErrorCode.ADDRESS_REFUSED
    assert recorded.connects == []


@pytest.mark.parametrize("port", PORTS)
@pytest.mark.parametrize("host", HOSTS)
def test_a_port_is_refused_before_anything_is_stored(host: str, port: int) -> None:
    with network(**NAMES) as recorded, pytest.raises(ValidationError, match=rf"Must not be at port {port}, unless"):
        EndpointOptions().load({"base_url": f"https://{host}:{port}/v1", "model": "m"})
    assert recorded.lookups == []


@pytest.mark.parametrize("base_url", ["http://pub.example/v1", "https://8.8.8.8", "https://pub.example:8443/v1"])
def test_an_address_without_a_port_or_with_one_of_a_models_is_stored(base_url: str) -> None:
    with network():
        assert EndpointOptions().load({"base_url": base_url, "model": "m"})["base_url"] == base_url


def test_a_name_may_be_in_a_network_that_is_allowed_so_its_port_is_left_to_the_connection() -> None:
    with network("10.0.0.0/8"):
        assert EndpointOptions().load({"base_url": "http://models.internal:6379/v1", "model": "m"})
        with pytest.raises(ValidationError, match="Must not be at port 6379"):
            EndpointOptions().load({"base_url": "http://8.8.8.8:6379/v1", "model": "m"})
