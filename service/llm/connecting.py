"""How aiohttp connects for us: what a name is found to stand for is checked, and what was checked is connected to.

There is no second look-up from which a name whose address changes could gain; the cost is one check a connection.
"""

import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeAlias

import aiohttp
from aiohttp.abc import ResolveResult

from service.llm import guard

AddrInfo: TypeAlias = tuple[int, int, int, str, tuple[Any, ...]]
"""As `socket.getaddrinfo` gives it."""


class LookUps(ThreadPoolExecutor):
    """Threads to look names up in, as a loop's default executor. A look-up that hangs can't be broken off.

    So nobody waits for one at the end of the loop, which would take longer than what had a time limit in it.
    """

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Begin no more; what was begun ends by itself."""
        del wait, cancel_futures
        super().shutdown(wait=False, cancel_futures=True)


class CheckedResolver(aiohttp.ThreadedResolver):
    """Looks a name up and refuses it if any of its addresses, or the port, must not be reached."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """As aiohttp's.

        Raises:
            RefusedAddressError: an address, or the port, must not be reached.
        """
        found = await super().resolve(host, port, family)
        for address in found:
            guard.check(address["host"], port, host)
        return found


def checked_socket(info: AddrInfo) -> socket.socket:
    """A socket for that very address: the last word, also where the host was an address and none was looked up.

    Raises:
        RefusedAddressError: it must not be reached.
    """
    family, kind, protocol, _, address = info
    guard.check(str(address[0]), int(address[1]), str(address[0]))
    return socket.socket(family, kind, protocol)
