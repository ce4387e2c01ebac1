"""How httpx connects for us, as service/llm/connecting.py has aiohttp do it."""

import asyncio
import socket
import ssl
from typing import Any

import httpcore
import httpx

from service.llm import guard


class CheckedTransport(httpx.AsyncHTTPTransport):
    """Connects to nothing that must not be reached; raises RefusedAddressError instead."""

    def __init__(self, verify: ssl.SSLContext) -> None:
        super().__init__(verify=verify, trust_env=False)
        # httpx has no option for it.
        self._pool._network_backend = _CheckedBackend()  # noqa: SLF001


class _CheckedBackend(httpcore.AnyIOBackend):
    async def connect_tcp(self, host: str, port: int, *args: Any, **options: Any) -> httpcore.AsyncNetworkStream:
        """Connect to the first of the host's addresses that answers; TLS still knows the host by its name."""
        addresses = await _lookup(host, port)
        for address in addresses:
            guard.check(address, port, host)
        for address in addresses[:-1]:
            try:
                return await super().connect_tcp(address, port, *args, **options)
            except httpcore.ConnectError:
                continue
        return await super().connect_tcp(addresses[-1], port, *args, **options)


async def _lookup(host: str, port: int) -> list[str]:
    try:
        infos = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError(str(error)) from error
    return [str(address[0]) for *_, address in infos]
