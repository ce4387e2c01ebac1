"""The openai client as we use it: nothing from the environment, no retries, a bounded body, one shared TLS context."""

import asyncio
import functools
import ssl
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import httpx2
import openai
from openai import DefaultAioHttpClient, Omit
from openai._vendor.httpx_aiohttp import AiohttpTransport

from service.llm.connecting import CheckedResolver, checked_socket
from service.llm.failures import OversizedError

MAX_BODY = 2**20
"""Bytes of one response body: an answer of 128,000 tokens, reasoning included, with 8 bytes for each."""
SMALL_BODY = 2**16
"""Bytes of a response that are read at any time. To be read further it waits for its turn."""
LARGE_BODIES = 64
"""How many responses beyond SMALL_BODY a client reads at once. Those that wait hold SMALL_BODY and what is buffered."""
BUFFER = 2**14
"""Bytes of a response that aiohttp holds before it stops reading from the network; it takes twice that."""

IDLE_SECONDS = 5.0
"""How long a connection is kept that nobody uses: shorter than common servers keep it."""

_WITH_KEY = {"x-stainless-retry-count": Omit()}
_WITHOUT_KEY = {**_WITH_KEY, "Authorization": Omit()}


class PlainOpenAI(openai.AsyncOpenAI):
    """An OpenAI client that sends what it is given and nothing else.

    The library would add keys, organisation, project and headers from OPENAI_* variables, and describe this machine
    to the target.
    """

    def __init__(self, base_url: str, api_key: str, http_client: httpx2.AsyncClient) -> None:
        # Empty strings and not None, which would mean: take it from the environment.
        super().__init__(
            base_url=base_url,
            api_key=api_key,
            admin_api_key="",
            organization="",
            project="",
            webhook_secret="",
            max_retries=0,
            timeout=None,
            http_client=http_client,
            _enforce_credentials=False,
        )
        # Or each of the first requests starts a thread to find out, for a header that is not sent.
        self._platform = "Unknown"

    @property
    def default_headers(self) -> dict[str, str | Omit]:
        """The same few headers for every request; identity keeps a small body from growing when it is unpacked."""
        return {
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "Content-Type": "application/json",
            "User-Agent": "proofhouse",
        }

    async def exchange(self, path: str, body: bytes) -> bytes:
        """POST a JSON body to a path below the base URL and read the whole response body.

        `cast_to` the plain response keeps the library from building its models, which we would take apart again.

        Raises:
            openai.APIStatusError: any status but 2xx.
        """
        headers = _WITH_KEY if self.api_key else _WITHOUT_KEY
        response = await self.post(path, cast_to=httpx2.Response, content=body, options={"headers": headers})
        return response.content


def connect(base_url: str, api_key: str | None, max_connections: int) -> PlainOpenAI:
    """A client with its own pool of connections. To be called in the process and event loop that use it."""
    http = DefaultAioHttpClient(
        # openai's own, but for the session that it would make.
        transport=AiohttpTransport(verify=tls_context(), client=lambda: session(max_connections)),
        trust_env=False,
        follow_redirects=False,
        timeout=None,  # the caller sets one deadline for the whole attempt
        event_hooks={"response": [functools.partial(_bound_body, asyncio.Semaphore(LARGE_BODIES))]},
    )
    return PlainOpenAI(base_url, api_key or "", http)


def session(max_connections: int) -> aiohttp.ClientSession:
    """Connections to checked addresses alone; no proxy, through which the check would see nothing but the proxy."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=max_connections,
            keepalive_timeout=IDLE_SECONDS,
            ssl=tls_context(),
            resolver=CheckedResolver(),
            socket_factory=checked_socket,
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        read_bufsize=BUFFER,
        trust_env=False,
    )


@functools.cache
def tls_context() -> ssl.SSLContext:
    """Trusted authorities, loaded once (some 20 ms); SSL_CERT_FILE and SSL_CERT_DIR add one's own."""
    return httpx2.create_ssl_context()


class _BoundedStream(httpx2.AsyncByteStream):
    """A response body that waits for its turn when it is large, and ends with an error when it is too large.

    Args:
        turns: shared by all that the client reads.
    """

    def __init__(self, stream: Any, turns: asyncio.Semaphore) -> None:
        self._stream = stream
        self._turns = turns
        self._has_turn = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._stream:
            size += len(chunk)
            if size > MAX_BODY:
                raise OversizedError(f"more than {MAX_BODY} bytes")
            if size > SMALL_BODY and not self._has_turn:
                await self._turns.acquire()
                self._has_turn = True
            yield chunk

    async def aclose(self) -> None:
        if self._has_turn:
            self._has_turn = False
            self._turns.release()
        await self._stream.aclose()


async def _bound_body(turns: asyncio.Semaphore, response: httpx2.Response) -> None:
    """Runs once the headers are there, before the body is read."""
    encoding = response.headers.get("content-encoding", "identity").lower()
    if encoding != "identity":
        await response.aclose()
        raise OversizedError(f"content-encoding {encoding[:40]} although identity was asked for")
    response.stream = _BoundedStream(response.stream, turns)
