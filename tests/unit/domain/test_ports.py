"""On which ports a model may be served on the internet, and on which something else is."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.addresses import refusal
from service.domain.ports import is_refused

OF_MODELS = [80, 443, 1024, 1234, 3000, 4000, 5000, 7860, 8000, 8080, 8443, 8501, 9000, 11434, 30000, 65535]
OF_OTHERS = {
    "mail": [25, 110, 143, 465, 587, 993, 995],
    "machines": [21, 22, 23, 53, 111, 135, 139, 389, 445, 514, 873, 2049, 3389, 5900, 5985, 6000],
    "stores": [1433, 1521, 3306, 5432, 5672, 6379, 9042, 9092, 9200, 9300, 11211, 26379, 27017],
    "control planes": [2181, 2375, 2376, 2379, 2380, 6443, 10250, 10255],
    "chat and telephony": [194, 1719, 1723, 5060, 6665, 6669, 6697, 10080],
}


@pytest.mark.parametrize("port", OF_MODELS)
def test_a_model_may_be_there(port: int) -> None:
    assert refusal("8.8.8.8", port, ()) is None


@pytest.mark.parametrize("port", [port for ports in OF_OTHERS.values() for port in ports])
def test_another_service_is_there(port: int) -> None:
    assert refusal("8.8.8.8", port, ()) == f"port {port}"
    assert refusal("2606:4700::1111", port, ()) == f"port {port}"


@given(st.integers(1, 1023))
def test_of_the_ports_that_are_a_systems_own_the_webs_are_open_and_no_other(port: int) -> None:
    assert is_refused(port) is (port not in {80, 443})


def test_whoever_allows_a_network_vouches_for_its_ports_even_on_the_internet() -> None:
    allowed = (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("8.8.8.0/24"))
    assert [refusal(text, 6379, allowed) for text in ("10.1.2.3", "8.8.8.8", "::ffff:8.8.8.8")] == [None] * 3
    assert refusal("8.8.4.4", 6379, allowed) == "port 6379"


def test_an_address_that_is_refused_is_refused_for_itself() -> None:
    assert refusal("10.1.2.3", 6379, ()) == "a private address"
