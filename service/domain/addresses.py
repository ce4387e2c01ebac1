"""Which IP addresses are the internet's, and which are a machine's or a network's own and must not be reached."""

import ipaddress
from functools import lru_cache
from typing import TypeAlias

from service.domain import ports

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

_INTERNET_6 = ipaddress.IPv6Network("2000::/3")
"""All that is routed on the internet is in here; the rest of IPv6 is for other purposes, or for none yet."""
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")
"""How a network without IPv4 reaches an IPv4 address, which is the last 32 bits."""

_KINDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("unspecified", ("0.0.0.0/8", "::/128")),
    ("loopback", ("127.0.0.0/8", "::1/128")),
    ("private", ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7", "fec0::/10")),
    # 169.254.169.254 and its like tell a machine its own credentials.
    ("link-local", ("169.254.0.0/16", "fe80::/10")),
    ("metadata", ("168.63.129.16/32",)),
    ("multicast", ("224.0.0.0/4", "ff00::/8")),
    ("documentation", ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20")),
    # Relays that carry a packet to an IPv4 address within: 6to4, and Teredo with what else 2001::/23 is set apart for.
    ("relayed", ("192.88.99.0/24", "2002::/16", "2001::/23")),
    ("reserved", ("192.0.0.0/24", "198.18.0.0/15", "240.0.0.0/4")),
)
_REFUSED: tuple[tuple[Network, str], ...] = tuple(
    (ipaddress.ip_network(network), kind) for kind, networks in _KINDS for network in networks
)


def address_of(text: str) -> Address:
    """The address that a packet to `text` reaches: an IPv4 address inside an IPv6 one stands for itself.

    Raises:
        ValueError: it is no IP address.
    """
    found = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped:
            return found.ipv4_mapped
        if found in _TRANSLATED:
            return ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
    return found


def kind_of(address: Address) -> str | None:
    """What kind of address it is that must not be reached unless allowed; None for one on the internet."""
    for network, kind in _REFUSED:
        if address in network:
            return kind
    outside = address.version == 6 and address not in _INTERNET_6  # noqa: PLR2004 - the version of IP
    # The standard library knows what a later registry of special addresses adds.
    return "reserved" if outside or not address.is_global else None


@lru_cache(maxsize=4096)
def refusal(text: str, port: int, allowed: tuple[Network, ...]) -> str | None:
    """What must not be reached there, as `a private address` or `port 25`; None for what may be.

    Whoever allows a network vouches for all that listens in it: there, any port may be reached.

    Remembered, for a server that keeps no connection is looked at for every call.

    Raises:
        ValueError: it is no IP address.
    """
    address = address_of(text)
    if any(address in network for network in allowed):
        return None
    kind = kind_of(address)
    return f"a {kind} address" if kind else refused_port(port)


def refused_port(port: int) -> str | None:
    """The port in words if nobody may be reached there; None for one at which a model may be."""
    return f"port {port}" if ports.is_refused(port) else None
