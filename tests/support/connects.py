"""Names of a test's own, and a record of every connection that is opened."""

import asyncio
import ipaddress
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from service.llm import guard
from tests.support.stack import LOOPBACK

Lookup = Callable[[], Sequence[str]]


class Network:
    """What the process asks of the network: `connects` has the address of every connection, `lookups` every name.

    Nothing outside of this machine is connected to.
    """

    def __init__(self, names: dict[str, Lookup]) -> None:
        self.names = names
        self.connects: list[str] = []
        self.lookups: list[str] = []

    def getaddrinfo(self, real: Callable[..., Any], host: str, port: int, *hints: Any, **named: Any) -> list[Any]:
        """As the system's, for the names of the test and for what is a number in any form."""
        if host not in self.names:
            numeric = (*hints[:3], socket.AI_NUMERICHOST) if hints else ()
            return list(real(host, port, *numeric, **(named | {"flags": socket.AI_NUMERICHOST} if not hints else {})))
        self.lookups.append(host)
        kinds = {4: socket.AF_INET, 6: socket.AF_INET6}
        found = [(kinds[ipaddress.ip_address(address).version], address) for address in self.names[host]()]
        return [
            (kind, socket.SOCK_STREAM, 6, "", (address, port, 0, 0) if kind is socket.AF_INET6 else (address, port))
            for kind, address in found
        ]

    def connect(self, address: Any) -> None:
        """Note it.

        Raises:
            OSError: it is not on this machine.
        """
        self.connects.append(str(address[0]))
        if not ipaddress.ip_address(address[0]).is_loopback:
            raise ConnectionRefusedError(f"the test does not connect to {address[0]}")


@contextmanager
def network(*allowed: str, **names: Sequence[str] | Lookup) -> Iterator[Network]:
    """Have names stand for addresses, record connections, and allow these networks alone. `_` in a name is a dot."""
    made = Network({name.replace("_", "."): _lookup(addresses) for name, addresses in names.items()})
    real_lookup, loop = socket.getaddrinfo, asyncio.selector_events.BaseSelectorEventLoop
    real_connect = loop.sock_connect

    async def sock_connect(self: Any, sock: socket.socket, address: Any) -> None:
        made.connect(address)
        await real_connect(self, sock, address)

    guard.allow(ipaddress.ip_network(each) for each in allowed)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                socket, "getaddrinfo", lambda *args, **options: made.getaddrinfo(real_lookup, *args, **options)
            )
            patch.setattr(loop, "sock_connect", sock_connect)
            yield made
    finally:
        guard.allow(LOOPBACK)


def _lookup(addresses: Sequence[str] | Lookup) -> Lookup:
    return addresses if callable(addresses) else lambda: addresses
