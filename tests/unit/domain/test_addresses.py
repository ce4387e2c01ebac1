"""Which addresses are the internet's, and which are not to be reached."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.addresses import address_of, kind_of, refusal

REFUSED = {
    "unspecified": ["0.0.0.0", "0.1.2.3", "::"],  # noqa: S104 - not bound to
    "loopback": ["127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1", "::ffff:7f00:1", "0:0:0:0:0:ffff:7f00:1"],
    "private": [
        *("10.0.0.0", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1"),
        *("100.64.0.0", "100.127.255.255", "100.100.100.200"),
        *("fc00::1", "fd00:ec2::254", "fdff:ffff::", "fec0::1", "::ffff:10.0.0.1", "64:ff9b::10.0.0.1"),
    ],
    "link-local": [
        *("169.254.0.1", "169.254.169.254", "169.254.170.2", "169.254.170.23"),
        *("fe80::1", "fe80::1%eth0", "febf::1", "::ffff:a9fe:a9fe", "64:ff9b::a9fe:a9fe"),
    ],
    "metadata": ["168.63.129.16", "::ffff:168.63.129.16"],
    "multicast": ["224.0.0.1", "239.255.255.255", "ff02::1", "ff0e::1"],
    "documentation": ["192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1"],
    "relayed": ["192.88.99.1", "2002:7f00:1::", "2002:808:808::1", "2001:0:7f00:1::1", "2001:10::1", "2001:20::1"],
    "reserved": [
        *("192.0.0.1", "192.0.0.192", "198.18.0.1", "198.19.255.255", "240.0.0.1", "255.255.255.255"),
        *("::127.0.0.1", "::7f00:1", "::8.8.8.8", "64:ff9b:1::7f00:1", "100::1", "5f00::1", "4000::1", "1::1"),
    ],
}
REACHED = [
    *("1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255"),
    *("128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255"),
    *("192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255", "168.63.129.17"),
    *("2606:4700::1111", "2001:4860:4860::8888", "2001:200::1", "2003::1", "3ffe::1"),
    *("::ffff:8.8.8.8", "64:ff9b::8.8.8.8"),
]


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in REFUSED.items() for text in texts])
def test_a_refused_address_is_named_by_its_kind(kind: str, text: str) -> None:
    assert refusal(text, 443, ()) == f"a {kind} address"


@pytest.mark.parametrize("text", REACHED)
def test_the_internet_may_be_reached(text: str) -> None:
    assert refusal(text, 443, ()) is None


@given(st.ip_addresses())
def test_nothing_may_be_reached_that_the_standard_library_does_not_call_global(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if not address_of(str(address)).is_global:
        assert kind_of(address_of(str(address)))


@given(st.ip_addresses(v=4))
def test_an_address_inside_another_is_judged_as_the_one_reached(address: ipaddress.IPv4Address) -> None:
    for around in (f"::ffff:{address}", f"64:ff9b::{address}"):
        assert refusal(around, 443, ()) == refusal(str(address), 443, ())


@given(st.ip_addresses(v=6))
def test_ipv6_is_reached_within_global_unicast_alone(address: ipaddress.IPv6Address) -> None:
    if refusal(str(address), 443, ()) is None and isinstance(address_of(str(address)), ipaddress.IPv6Address):
        assert str(address.exploded)[0] in "23"


def test_what_is_allowed_may_be_reached_and_its_neighbours_not() -> None:
    allowed = (ipaddress.ip_network("10.1.2.0/24"), ipaddress.ip_network("::1"))
    assert [refusal(text, 443, allowed) for text in ("10.1.2.0", "10.1.2.255", "::ffff:10.1.2.7", "::1")] == [None] * 4
    assert [refusal(text, 443, allowed) for text in ("10.1.1.255", "10.1.3.0", "127.0.0.1")] == [
        *("a private address", "a private address", "a loopback address")
    ]


@pytest.mark.parametrize("text", ["", "localhost", "127.1", "1.2.3.4.", "2130706433", "0x7f.0.0.1", "1.2.3.04"])
def test_what_is_no_address_is_not_taken_for_one(text: str) -> None:
    with pytest.raises(ValueError, match=r"does not appear|not permitted|Leading zeros"):
        refusal(text, 443, ())
