"""A real HTTP server on loopback that speaks OpenAI's protocol, and misbehaves on request.

    with MockOpenAI(status(429, retry_after=1), text("hello")) as server:
        ...  # server.base_url, server.hits, server.peak

Behaviours are answers, given in turn and the last one for ever after, or one function from a `Hit` to an answer.
"""

import asyncio
import json
import socket
import threading
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Self

from aiohttp import web


@dataclass(frozen=True)
class Answer:
    """How one request is answered. The faults are sent after `latency` seconds, in place of `body`."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    latency: float = 0.0
    content_type: str = "application/json"
    raw: bytes | None = None
    """Bytes put on the wire as they are, then the connection is cut; b"" just cuts it."""
    hang: bool = False
    """Never answer."""
    drip: float = 0.0
    """Seconds between any two bytes of the body."""

    def after(self, seconds: float) -> "Answer":
        """The same answer, later."""
        return replace(self, latency=seconds)


@dataclass(frozen=True)
class Hit:
    """One request as it arrived; `number` counts from 0."""

    number: int
    headers: Mapping[str, str]
    body: Any
    path: str = ""
    content: bytes = b""
    """The body as it came."""

    @property
    def prompt(self) -> str:
        """The content of the last message."""
        return str(self.body["messages"][-1]["content"])


Behaviour = Callable[[Hit], Answer]


def completion(message: Any, finish_reason: str | None = "stop", **choice: Any) -> Answer:
    """A chat completion with that message object."""
    choices = [{"index": 0, "message": message, "finish_reason": finish_reason, **choice}]
    usage = {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}
    return payload({"id": "chatcmpl-1", "object": "chat.completion", "choices": choices, "usage": usage})


def text(content: Any, finish_reason: str = "stop", **message: Any) -> Answer:
    """A chat completion with that text."""
    return completion({"role": "assistant", "content": content, **message}, finish_reason)


def moderation(scores: Mapping[str, float], *flagged: str) -> Answer:
    """A moderation with those scores; the named categories are flagged, the others are not."""
    categories = {name: name in flagged for name in {**scores, **dict.fromkeys(flagged)}}
    result = {"flagged": bool(flagged), "categories": categories, "category_scores": dict(scores)}
    return payload({"id": "modr-1", "model": "omni-moderation-latest", "results": [result]})


def payload(value: Any, status: int = 200, **headers: str) -> Answer:
    """Any JSON value."""
    return Answer(status, json.dumps(value).encode(), headers)


def status(number: int, message: str = "went wrong", /, *, retry_after: Any = None, **error: Any) -> Answer:
    """An error in OpenAI's shape."""
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return payload({"error": {"message": message, **error}}, number, **headers)


def azure_filter(**severities: str) -> Answer:
    """A prompt that Azure's content filter stopped."""
    found = {name: {"filtered": True, "severity": severity} for name, severity in severities.items()}
    inner = {"code": "ResponsibleAIPolicyViolation", "content_filter_result": found}
    return status(400, "The prompt triggered the policy.", code="content_filter", type=None, innererror=inner)


RESET = Answer(raw=b"")
HANG = Answer(hang=True)
GARBAGE = Answer(raw=b"\x16\x03\x01 this is not HTTP\r\n\r\n")
HALF = Answer(
    raw=b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{"choices": [{"mess'
)
HTML = Answer(body=b"<html><title>It works!</title></html>", content_type="text/html")


class _Server(web.Server):
    """One that knows every connection it has had."""

    def __init__(self, handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]) -> None:
        super().__init__(handler)
        self.transports: list[asyncio.Transport] = []

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        self.transports.append(transport)


class MockOpenAI:
    """Serves on a free port of 127.0.0.1 from a thread of its own while the context is open."""

    def __init__(self, *behaviour: Answer | Behaviour, port: int = 0) -> None:
        self._behaviour = behaviour or (text("I can't help with that."),)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.port = port
        self.hits: list[Hit] = []
        self.in_flight = 0
        self.peak = 0

    @property
    def base_url(self) -> str:
        """Where `/chat/completions` and `/moderations` begin; any path is answered alike."""
        return f"http://127.0.0.1:{self.port}/v1"

    def behave(self, *behaviour: Answer | Behaviour) -> None:
        """Answer so from now on."""
        self._behaviour = behaviour

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result()
        return self

    def __exit__(self, *exc: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _start(self) -> None:
        self._server = _Server(self._serve)
        self._runner = web.ServerRunner(self._server, shutdown_timeout=0.1)
        await self._runner.setup()
        self._socket = socket.create_server(("127.0.0.1", self.port))
        await web.SockSite(self._runner, self._socket, backlog=1024).start()
        self.port = self._socket.getsockname()[1]

    async def _stop(self) -> None:
        """End all that goes on, also answers that nobody takes.

        Connections that are just being accepted come first: Python before 3.12 trips over them once the server is
        closed.
        """
        self._loop.remove_reader(self._socket)
        await _rounds(3)
        await self._runner.cleanup()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        for transport in self._server.transports:
            transport.abort()
        await _rounds(1)

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        try:
            body = await request.read()
            read = json.loads(body) if body else None
            hit = Hit(len(self.hits), dict(request.headers), read, request.path_qs, body)
            self.hits.append(hit)
            return await self._send(request, self._answer(hit))
        finally:
            self.in_flight -= 1

    def _answer(self, hit: Hit) -> Answer:
        turn = self._behaviour[min(hit.number, len(self._behaviour) - 1)]
        return turn if isinstance(turn, Answer) else turn(hit)

    async def _send(self, request: web.BaseRequest, answer: Answer) -> web.StreamResponse:
        if answer.hang:
            await asyncio.Event().wait()
        await asyncio.sleep(answer.latency)
        if answer.raw is not None:
            return await _cut(request, answer.raw)
        headers = {"Content-Type": answer.content_type, **answer.headers}
        if not answer.drip:
            return web.Response(status=answer.status, body=answer.body, headers=headers)
        return await _drip(request, answer, headers)


async def _rounds(number: int) -> None:
    """Let everything that is ready run, that many times."""
    for _ in range(number):
        await asyncio.sleep(0)


async def _cut(request: web.BaseRequest, raw: bytes) -> web.StreamResponse:
    """Write bytes past the server's own framing and drop the connection, by a reset when there are none."""
    transport = request.transport
    assert transport is not None
    if raw:
        transport.write(raw)
        transport.close()
    else:
        transport.abort()
    await asyncio.sleep(0)
    return web.Response()


async def _drip(request: web.BaseRequest, answer: Answer, headers: Mapping[str, str]) -> web.StreamResponse:
    response = web.StreamResponse(status=answer.status, headers=headers)
    await response.prepare(request)
    with suppress(ConnectionError):  # the client need not stay to the end
        for byte in answer.body:
            await response.write(bytes([byte]))
            await asyncio.sleep(answer.drip)
        await response.write_eof()
    return response
