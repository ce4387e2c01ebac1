"""What a call costs: counted for the reply and for the metrics, request by request."""

import time
from collections.abc import Awaitable
from typing import Protocol, TypeVar

from service.domain.completions import Usage
from service.llm.failures import BlockedError, CallFailedError
from service.metrics import MODEL_REQUEST_DURATION, MODEL_REQUESTS, MODEL_RETRIES, MODEL_TOKENS, model_in_flight


class Answered(Protocol):
    """What every kind of answer says of its cost, and whether a filter cut it off."""

    @property
    def blocked_reason(self) -> str | None:
        """None if no filter did."""
        ...

    @property
    def model(self) -> str | None:
        """The model's name as the server gives it, which is the server's to choose."""
        ...

    @property
    def prompt_tokens(self) -> int:
        """As the server counts them."""
        ...

    @property
    def completion_tokens(self) -> int:
        """As the server counts them."""
        ...


A = TypeVar("A", bound=Answered)


class Account:
    """The cost of one call so far. `latency_ms` is that of its last request."""

    def __init__(self, role: str) -> None:
        self.role = role
        self.usage = Usage()
        self.latency_ms = 0

    async def request(self, sending: Awaitable[A]) -> A:
        """Wait for one HTTP request and account for it, however it ends."""
        started = time.perf_counter()
        outcome = "cancelled"
        with model_in_flight(self.role):
            try:
                answer = await sending
            except BlockedError:
                outcome = "blocked"
                raise
            except CallFailedError as failed:
                outcome = failed.problem.code
                raise
            else:
                outcome = "blocked" if answer.blocked_reason else "ok"
                self._add_tokens(answer)
                return answer
            finally:
                self._add_request(outcome, time.perf_counter() - started)

    def retried(self, failed: CallFailedError) -> None:
        """Count a failure that will be tried again."""
        MODEL_RETRIES.labels(self.role, failed.problem.code).inc()

    def _add_request(self, outcome: str, seconds: float) -> None:
        self.usage += Usage(requests=1)
        self.latency_ms = round(seconds * 1000)
        MODEL_REQUESTS.labels(self.role, outcome).inc()
        MODEL_REQUEST_DURATION.labels(self.role).observe(seconds)

    def _add_tokens(self, answer: Answered) -> None:
        self.usage += Usage(prompt_tokens=answer.prompt_tokens, completion_tokens=answer.completion_tokens)
        MODEL_TOKENS.labels(self.role, "prompt").inc(answer.prompt_tokens)
        MODEL_TOKENS.labels(self.role, "completion").inc(answer.completion_tokens)
