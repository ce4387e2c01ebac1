"""The one way to call a model, whatever its role in a job."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeAlias, TypeVar

from service.domain.completions import Completion, shortened
from service.llm import traced
from service.llm.accounting import A, Account
from service.llm.errors import PROBLEMS
from service.llm.failures import TRANSPORT_ERRORS, BlockedError, CallFailedError, failure
from service.llm.limits import Limiter
from service.llm.moderations import Moderation, read_moderation
from service.llm.redaction import redact, storable
from service.llm.replies import Answer, read_answer
from service.llm.retry import Retry
from service.llm.transport import PlainOpenAI, connect

Reply: TypeAlias = Completion
"""What one call gave: the same facts whether the model is the target, the judge, the generator or the attacker."""
Message: TypeAlias = Mapping[str, str]
"""`{"role": "system|user|assistant", "content": ...}`."""


DEFAULT_ANSWER_TOKENS = 256
"""Reserved for an answer whose length the request does not limit; what it really took is settled afterwards."""

BYTES_A_TOKEN = 4
"""A rough rate, for what a request takes before its server has counted."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Request(Generic[A]):
    """One call: what it is called, what is sent where, about how many tokens it takes, and how its answer is read."""

    operation: str
    path: str
    body: bytes
    tokens: int
    read: Callable[[bytes], A]


class ModelClient:
    """Calls one model of an OpenAI-compatible server.

    Args:
        role: `target`, `judge`, `generator` or `attacker`; a label of metrics, and named in messages.
        base_url: where `/chat/completions` and the like begin, such as `http://127.0.0.1:8081/v1`.
        model: the model's name at that server.
        api_key: None for servers that want none; the environment is never asked for one.
        timeout_seconds: limit of one attempt, from sending the request to having read the whole answer.
        max_attempts: HTTP requests a call may take, the first included.
        limiter: its slot is held for each HTTP request, never while waiting for the next attempt.
        max_connections: size of the pool; as many as the limiter may ever admit in this process.
        retry: backoff in place of `Retry(max_attempts)`.

    Nothing is opened before the first call, so a client may be built before a fork or outside an event loop; from
    then on it belongs to one loop.
    """

    def __init__(
        self,
        role: str,
        *,
        base_url: str,
        model: str,
        api_key: str | None,
        timeout_seconds: float,
        max_attempts: int,
        limiter: Limiter,
        max_connections: int,
        retry: Retry | None = None,
    ) -> None:
        self.role = role
        self.model = model
        self._base_url = base_url
        self._api_key = api_key
        self._timeout = timeout_seconds
        self._limiter = limiter
        self._max_connections = max_connections
        self._retry = retry or Retry(max_attempts)
        self._connection: PlainOpenAI | None = None

    @classmethod
    def from_options(cls, role: str, options: Mapping[str, Any], limiter: Limiter) -> "ModelClient":
        """A client for validated `EndpointOptions`."""
        names = ("base_url", "model", "api_key", "timeout_seconds", "max_attempts")
        given = {name: options[name] for name in names}
        return cls(role, **given, limiter=limiter, max_connections=options["max_concurrency"])

    async def chat(self, messages: Sequence[Message], parameters: Mapping[str, Any]) -> Reply:
        """Send one chat completion request, tried again as docs/errors.md says, and give what came of it.

        `parameters` join the request as they are. Never raises for what the server or the network does: the reply's
        `error` or `blocked` says it.
        """
        # ASCII escapes carry any string to the server unchanged, lone surrogates included.
        body = json.dumps({**parameters, "model": self.model, "messages": list(messages)}).encode()
        request = _Request("chat", "/chat/completions", body, _estimated_tokens(body, parameters), read_answer)
        account = Account(self.role)
        answer = await self._call(request, account)
        return answer if isinstance(answer, Reply) else _reply(account, **self._content(answer))

    async def moderate(self, text: str) -> tuple[Reply, Moderation | None]:
        """Have a moderations endpoint look at a text, tried again and never raising, as with `chat`.

        The reply says what the call cost and, where there is no moderation, what came of it instead.
        """
        body = json.dumps({"model": self.model, "input": text}).encode()
        request = _Request("moderation", "/moderations", body, len(body) // BYTES_A_TOKEN, read_moderation)
        account = Account(self.role)
        found = await self._call(request, account)
        if isinstance(found, Reply):
            return found, None
        return _reply(account), replace(
            found, categories=self._clean_names(found.categories), scores=self._clean_names(found.scores)
        )

    async def close(self) -> None:
        """Close the pool of connections."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _call(self, request: _Request[A], account: Account) -> A | Reply:
        """The answer, or a reply that says why there is none."""
        try:
            return await self._retry.run(lambda: self._attempt(request, account), account.retried)
        except CallFailedError as failed:
            return _reply(account, error=failed.call_error(self.role, [self._api_key]))
        except BlockedError as blocked:
            return _reply(account, blocked=True, blocked_reason=self._reason(blocked.reason))

    async def _attempt(self, request: _Request[A], account: Account) -> A:
        """One HTTP request. What it raises passes through the limiter's slot, which learns from it."""
        async with self._limiter.slot(request.tokens) as permit:
            with self._span(request.operation) as note:
                answer = await account.request(self._send(request))
                note(answer)
            # A server that counts no tokens leaves the estimate standing.
            permit.tokens = answer.prompt_tokens + answer.completion_tokens or None
            return answer

    async def _send(self, request: _Request[A]) -> A:
        try:
            async with asyncio.timeout(self._timeout):
                if self._connection is None:
                    self._connection = connect(self._base_url, self._api_key, self._max_connections)
                content = await self._connection.exchange(request.path, request.body)
        except TimeoutError as error:
            raise CallFailedError(PROBLEMS["timeout"], f"timeout_seconds is {self._timeout:g}") from error
        except TRANSPORT_ERRORS as error:
            raise failure(error) from error
        return request.read(content)

    def _span(self, operation: str) -> AbstractContextManager[traced.Note]:
        return traced.request(operation, role=self.role, model=self.model, base_url=self._base_url, clean=self._clean)

    def _content(self, answer: Answer) -> dict[str, Any]:
        return {
            "text": self._clean(answer.text) or "",
            "refusal": self._clean(answer.refusal),
            "finish_reason": self._reason(answer.finish_reason),
            "blocked": answer.blocked_reason is not None,
            "blocked_reason": self._reason(answer.blocked_reason),
            "truncated": answer.truncated,
        }

    def _clean_names(self, named: Mapping[str, T]) -> dict[str, T]:
        return {self._clean(name) or "": value for name, value in named.items()}

    def _reason(self, text: str | None) -> str | None:
        # Cut only now: of a key that was cut through, the rest would not be known for one.
        return shortened(self._clean(text))

    def _clean(self, text: str | None) -> str | None:
        return text and storable(redact(text, [self._api_key]))


def _estimated_tokens(body: bytes, parameters: Mapping[str, Any]) -> int:
    """About what a call will take: the longest answer asked for, too."""
    longest = parameters.get("max_completion_tokens") or parameters.get("max_tokens") or DEFAULT_ANSWER_TOKENS
    return len(body) // BYTES_A_TOKEN + int(longest)


def _reply(account: Account, **content: Any) -> Reply:
    return Reply(**content, usage=account.usage, attempts=account.usage.requests, latency_ms=account.latency_ms)
