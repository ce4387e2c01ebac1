"""The client against a real HTTP server on loopback that answers in every way a server can."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

import pytest
from prometheus_client import REGISTRY

from service.domain.completions import MAX_REASON, MAX_TEXT, ErrorCode, Usage
from service.llm.client import ModelClient, Reply
from service.llm.failures import CallFailedError
from service.llm.limits import Limiter, Permit
from service.llm.retry import Retry
from service.llm.transport import LARGE_BODIES, MAX_BODY, SMALL_BODY
from tests.support.mock_openai import (
    GARBAGE,
    HALF,
    HANG,
    HTML,
    RESET,
    Answer,
    MockOpenAI,
    azure_filter,
    moderation,
    payload,
    status,
    text,
)

T = TypeVar("T")
KEY = "sk-canary-0123456789"
HELLO = [{"role": "user", "content": "Hello"}]


class Slots:
    """A limiter that only counts, and keeps what passes through it; it never waits for a server's Retry-After."""

    def __init__(self, capacity: int) -> None:
        self._free = asyncio.Semaphore(capacity)
        self.in_use = 0
        self.failures: list[CallFailedError] = []
        self.permits: list[Permit] = []

    @asynccontextmanager
    async def slot(self, tokens: int = 0) -> AsyncIterator[Permit]:  # noqa: ARG002 - not paced
        async with self._free:
            self.in_use += 1
            self.permits.append(Permit())
            try:
                yield self.permits[-1]
            except CallFailedError as failed:
                self.failures.append(failed)
                raise
            finally:
                self.in_use -= 1


class Naps(list[float]):
    """Stands in for sleeping between attempts, and keeps the seconds asked for."""

    async def sleep(self, seconds: float) -> None:
        self.append(seconds)


def client_of(server: MockOpenAI | str, *, naps: Naps | None = None, **options: Any) -> ModelClient:
    """A client of that server, which never really waits between attempts."""
    attempts = options.pop("max_attempts", 1)
    limiter: Limiter = options.pop("limiter", Slots(8))
    base_url = server if isinstance(server, str) else server.base_url
    retry = Retry(attempts, sleep=(Naps() if naps is None else naps).sleep, draw=lambda: 1.0)
    defaults: dict[str, Any] = {"model": "m", "api_key": None, "timeout_seconds": 10, "max_connections": 8}
    settings = defaults | options
    return ModelClient("target", base_url=base_url, max_attempts=attempts, limiter=limiter, retry=retry, **settings)


def run(client: ModelClient, work: Callable[[ModelClient], Awaitable[T]]) -> T:
    """Do the work in a loop of its own and close the client in it."""

    async def main() -> T:
        try:
            return await work(client)
        finally:
            await client.close()

    return asyncio.run(main())


def chat(server: MockOpenAI | str, **options: Any) -> Reply:
    """One call."""
    return run(client_of(server, **options), lambda client: client.chat(HELLO, {"temperature": 0}))


def sample(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_an_answer_with_its_cost() -> None:
    with MockOpenAI(text("Hi.").after(0.02)) as server:
        reply = chat(server)
    assert (reply.text, reply.finish_reason, reply.error, reply.attempts) == ("Hi.", "stop", None, 1)
    assert reply.usage == Usage(1, 7, 5)
    assert 20 <= reply.latency_ms < 5000
    assert server.hits[0].body == {"temperature": 0, "model": "m", "messages": HELLO}


def test_nothing_of_the_environment_reaches_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("API_KEY", "ADMIN_KEY", "ORG_ID", "PROJECT_ID", "WEBHOOK_SECRET"):
        monkeypatch.setenv(f"OPENAI_{name}", "from-the-environment")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/from-the-environment")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Custom: from-the-environment\nAuthorization: from-the-environment")
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with MockOpenAI() as server:
        assert chat(server).error is None
        assert chat(server, api_key=KEY).error is None
    assert "from-the-environment" not in str(server.hits)
    keyless, keyed = (hit.headers for hit in server.hits)
    assert "Authorization" not in keyless
    assert keyed["Authorization"] == f"Bearer {KEY}"
    ours = {"Host", "Connection", "Accept", "Accept-Encoding", "Content-Type", "Content-Length", "User-Agent"}
    assert set(keyless) == ours, "nothing describes this machine"


def test_redirects_do_not_carry_the_key_elsewhere() -> None:
    with MockOpenAI() as other, MockOpenAI(Answer(307, headers={"Location": other.base_url})) as server:
        reply = chat(server, api_key=KEY, max_attempts=3)
    assert other.hits == []
    assert len(server.hits) == 1
    assert reply.error is not None
    assert "redirect" in reply.error.message


def test_any_string_arrives_as_it_was() -> None:
    strange = 'quotes " \\ newline \n NUL \x00 emoji 🙂 lone \ud800'
    with MockOpenAI() as server:
        run(client_of(server), lambda client: client.chat([{"role": "user", "content": strange}], {}))
    assert server.hits[0].prompt == strange


@pytest.mark.parametrize(
    ("answer", "code", "tried"),
    [
        (status(400), ErrorCode.BAD_REQUEST, 1),
        (status(401), ErrorCode.AUTHENTICATION, 1),
        (status(402), ErrorCode.QUOTA_EXHAUSTED, 1),
        (status(403), ErrorCode.PERMISSION_DENIED, 1),
        (status(404, code="model_not_found"), ErrorCode.MODEL_NOT_FOUND, 1),
        (status(408), ErrorCode.TIMEOUT, 3),
        (status(409), ErrorCode.SERVER_ERROR, 3),
        (status(418), ErrorCode.BAD_REQUEST, 1),
        (status(429), ErrorCode.RATE_LIMITED, 3),
        (status(429, code="insufficient_quota"), ErrorCode.QUOTA_EXHAUSTED, 1),
        (status(500), ErrorCode.SERVER_ERROR, 3),
        (Answer(503, b"<h1>busy</h1>", content_type="text/html"), ErrorCode.SERVER_ERROR, 3),
        (RESET, ErrorCode.UNREACHABLE, 3),
        (HALF, ErrorCode.UNREACHABLE, 3),
        (GARBAGE, ErrorCode.MALFORMED_RESPONSE, 3),
        (Answer(raw=b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n"), ErrorCode.MALFORMED_RESPONSE, 3),
        (Answer(raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n"), ErrorCode.MALFORMED_RESPONSE, 3),
        (Answer(headers={"X-Long": "x" * 20_000}), ErrorCode.MALFORMED_RESPONSE, 3),
        (HTML, ErrorCode.MALFORMED_RESPONSE, 3),
        (Answer(204), ErrorCode.MALFORMED_RESPONSE, 3),
        (payload({"choices": []}), ErrorCode.MALFORMED_RESPONSE, 3),
        (text("x" * 9 * 2**20), ErrorCode.MALFORMED_RESPONSE, 1),
        (Answer(500, b"x" * 9 * 2**20), ErrorCode.MALFORMED_RESPONSE, 1),
    ],
)
def test_every_failure_has_its_code_and_is_tried_again_or_not(answer: Answer, code: ErrorCode, tried: int) -> None:
    with MockOpenAI(answer) as server:
        reply = chat(server, max_attempts=3)
    assert reply.error is not None
    assert reply.error.code is code
    assert (len(server.hits), reply.attempts, reply.usage) == (tried, tried, Usage(tried))
    assert (reply.text, reply.blocked) == ("", False)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/v1", "http://a..b/v1", "http://[::::]/v1", "https://127.0.0.1:1/v1"]
)
def test_where_nothing_listens(url: str) -> None:
    reply = chat(url)
    assert reply.error is not None
    assert reply.error.code is ErrorCode.UNREACHABLE


@pytest.mark.parametrize("answer", [HANG, Answer(body=b"x" * 1000, drip=0.02), text("late").after(30)])
def test_the_deadline_holds_for_the_whole_answer(answer: Answer) -> None:
    with MockOpenAI(answer) as server:
        reply = chat(server, timeout_seconds=0.15)
    assert reply.error is not None
    assert reply.error.code is ErrorCode.TIMEOUT
    assert 150 <= reply.latency_ms < 2000


def test_a_small_body_cannot_grow_in_memory_by_unpacking() -> None:
    bomb = Answer(body=gzip.compress(b"x" * 64 * 2**20), headers={"Content-Encoding": "gzip"})
    with MockOpenAI(bomb) as server:
        reply = chat(server)
    assert reply.error is not None
    assert "gzip" in reply.error.message


def test_of_a_large_answer_the_beginning_is_kept_and_marked_and_what_it_cost_is_counted() -> None:
    with MockOpenAI(text("x" * (MAX_BODY - 1000))) as server:
        reply = chat(server)
    assert (reply.text, reply.truncated, reply.finish_reason) == ("x" * MAX_TEXT, True, "stop")
    assert (reply.error, reply.usage) == (None, Usage(1, 7, 5))


def test_more_large_answers_than_are_read_at_once_are_all_read() -> None:
    with MockOpenAI(text("x" * (SMALL_BODY + 20_000))) as server:
        client = client_of(server)
        replies = run(client, lambda client: asyncio.gather(*[client.chat(HELLO, {}) for _ in range(LARGE_BODIES + 9)]))
    assert {(reply.truncated, len(reply.text)) for reply in replies} == {(False, SMALL_BODY + 20_000)}


def test_the_content_type_does_not_matter_and_broken_characters_do_not_lose_the_answer() -> None:
    body = b'{"choices": [{"message": {"content": "a\xff\\u0000\\ud800b"}}]}'
    with MockOpenAI(Answer(body=body, content_type="text/plain")) as server:
        assert chat(server).text == "a\ufffd\ufffd\ufffdb"


@pytest.mark.parametrize(
    ("answer", "reason", "partial"),
    [
        (azure_filter(violence="high"), "content_filter: violence (high)", ""),
        (status(400, code="content_policy_violation"), "content_policy_violation", ""),
        (status(403, code="moderation_blocked"), "moderation_blocked", ""),
        (text("First, take", "content_filter"), "content_filter", "First, take"),
    ],
)
def test_a_block_is_no_error_and_keeps_the_partial_text(answer: Answer, reason: str, partial: str) -> None:
    with MockOpenAI(answer) as server:
        reply = chat(server, max_attempts=3)
    assert (reply.blocked, reply.blocked_reason, reply.text) == (True, reason, partial)
    assert (reply.error, len(server.hits)) == (None, 1)


LONG_NAME = "n" * (MAX_REASON - 20) + KEY + "n" * MAX_REASON
FILTERED = {"message": {"content": "First"}, "finish_reason": "content_filter"}


@pytest.mark.parametrize(
    "answer",
    [
        azure_filter(**{LONG_NAME: "high"}),
        payload({"choices": [{**FILTERED, "content_filter_results": {LONG_NAME: {"filtered": True}}}]}),
    ],
    ids=["of an error", "of a choice"],
)
def test_of_a_long_reason_the_beginning_is_kept_and_no_part_of_a_key(answer: Answer) -> None:
    with MockOpenAI(answer) as server:
        reason = chat(server, api_key=KEY).blocked_reason
    assert reason
    assert (len(reason), reason[-1]) == (MAX_REASON + 1, "…")
    assert KEY[:4] not in reason


def test_it_tries_again_until_it_has_an_answer_and_waits_as_the_server_asks() -> None:
    naps = Naps()
    with MockOpenAI(status(429, retry_after=7), RESET, status(503), text("at last")) as server:
        reply = chat(server, naps=naps, max_attempts=5)
    assert (reply.text, reply.attempts, reply.error) == ("at last", 4, None)
    assert reply.usage == Usage(4, 7, 5)
    assert naps == [7.5, 1.0, 2.0]


def test_no_key_and_no_password_in_messages_or_answers() -> None:
    echo = f"you sent Bearer {KEY} to http://user:pass@host/"
    with MockOpenAI(status(401, echo), text(echo), text("", refusal=echo), status(400, code=KEY)) as server:
        client = client_of(server, api_key=KEY)
        replies = run(client, lambda client: asyncio.gather(*[client.chat(HELLO, {}) for _ in range(4)]))
    assert KEY not in str(replies)
    assert any("[redacted]" in reply.text for reply in replies)


def test_slots_are_held_for_requests_and_not_while_waiting() -> None:
    """With a single slot, a call that waits to try again lets another through."""
    limiter = Slots(1)
    held: list[int] = []

    async def work(client: ModelClient) -> list[Reply]:
        async def sleep(_: float) -> None:
            held.append(limiter.in_use)
            other.append(await client.chat(HELLO, {}))

        other: list[Reply] = []
        client._retry = Retry(3, sleep=sleep)
        return [await client.chat(HELLO, {}), *other]

    with MockOpenAI(status(500), text("other"), text("first")) as server:
        replies = run(client_of(server, limiter=limiter), work)
    assert [reply.text for reply in replies] == ["first", "other"]
    assert held == [0]


def test_a_limiter_hears_of_failures_through_its_slot() -> None:
    limiter = Slots(1)
    with MockOpenAI(status(429, retry_after=3), text("ok")) as server:
        assert chat(server, limiter=limiter, max_attempts=2).text == "ok"
    assert [(failed.problem.code, failed.retry_after) for failed in limiter.failures] == [(ErrorCode.RATE_LIMITED, 3.0)]


def test_counted_tokens_are_settled_and_where_none_are_the_estimate_stands() -> None:
    limiter = Slots(1)
    with MockOpenAI(text("ok"), payload({"choices": [{"message": {"content": "ok"}}]})) as server:
        for _ in range(2):
            chat(server, limiter=limiter)
    assert [permit.tokens for permit in limiter.permits] == [12, None]


def test_a_moderation_is_a_call_like_any_other() -> None:
    limiter = Slots(1)
    with MockOpenAI(status(429, retry_after=3), RESET, moderation({"hate": 0.7}, "hate")) as server:
        client = client_of(server, limiter=limiter, max_attempts=3)
        reply, found = run(client, lambda client: client.moderate("Hello"))
    assert found is not None
    assert (found.categories, found.scores) == ({"hate": True}, {"hate": 0.7})
    assert (reply.attempts, reply.usage, reply.error) == (3, Usage(3), None)
    assert [hit.path for hit in server.hits] == ["/v1/moderations"] * 3
    assert [failed.problem.code for failed in limiter.failures] == [ErrorCode.RATE_LIMITED, ErrorCode.UNREACHABLE]


def test_the_pool_is_as_large_as_the_limit_beyond_a_hundred() -> None:
    async def work(client: ModelClient) -> None:
        await asyncio.gather(*[client.chat(HELLO, {}) for _ in range(150)])

    with MockOpenAI(text("ok").after(0.5)) as server:
        run(client_of(server, limiter=Slots(150), max_connections=150), work)
    assert server.peak == 150


def test_a_cancelled_call_leaves_nothing_behind() -> None:
    limiter = Slots(1)

    async def work(client: ModelClient) -> Reply:
        with suppress(TimeoutError):
            await asyncio.wait_for(client.chat(HELLO, {}), timeout=0.2)
        return await client.chat(HELLO, {})

    with MockOpenAI(HANG, text("ok")) as server:
        assert run(client_of(server, limiter=limiter), work).text == "ok"
    assert limiter.in_use == 0
    assert sample("proofhouse_model_in_flight", role="target") == 0


def test_a_client_is_built_before_there_is_a_loop_and_closed_twice() -> None:
    client = client_of("http://127.0.0.1:1")

    async def twice() -> None:
        await client.close()
        await client.close()

    asyncio.run(twice())


def count(work: Callable[[], Coroutine[Any, Any, Any] | Any], name: str, **labels: str) -> float:
    before = sample(name, **labels)
    work()
    return sample(name, **labels) - before


def test_every_request_retry_and_token_is_counted() -> None:
    def calls() -> None:
        with MockOpenAI(status(500), text("ok"), azure_filter(hate="low")) as server:
            chat(server, max_attempts=2)
            chat(server)

    expected = {
        ("proofhouse_model_requests_total", "outcome", "server_error"): 1,
        ("proofhouse_model_requests_total", "outcome", "ok"): 1,
        ("proofhouse_model_requests_total", "outcome", "blocked"): 1,
        ("proofhouse_model_retries_total", "reason", "server_error"): 1,
        ("proofhouse_model_tokens_total", "direction", "prompt"): 7,
        ("proofhouse_model_tokens_total", "direction", "completion"): 5,
    }
    for (name, label, value), increase in expected.items():
        assert count(calls, name, role="target", **{label: value}) == increase
    assert count(calls, "proofhouse_model_request_duration_seconds_count", role="target") == 3
