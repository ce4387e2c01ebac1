"""Turns what the HTTP stack raised into a row of the table of errors, and a sentence that says what to do."""

import email.utils
import math
import re
import socket
import ssl
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC

import aiohttp
import anyio
import httpx2
import openai

from service.domain.completions import CallError
from service.llm.bodies import ErrorBody, read_error
from service.llm.errors import PROBLEMS, Problem, problem_of
from service.llm.guard import RefusedAddressError
from service.llm.redaction import redact, storable, without_userinfo

BLOCK_STATUSES = frozenset({400, 403, 422, 451})
"""Statuses under which a policy code means a block; under 429 or 5xx the same words may be a passing failure."""
TRANSPORT_ERRORS = (
    openai.OpenAIError,
    httpx2.HTTPError,
    httpx2.InvalidURL,
    httpx2.StreamError,
    aiohttp.ClientError,
    anyio.EndOfStream,
    OSError,  # TimeoutError and ssl.SSLError among them
    UnicodeError,
)
"""All that the HTTP stack is known to raise for what a server or the network does. Anything else is a fault here."""
_PARSER_PREFIX = re.compile(r"^400, message:\s*")  # aiohttp's, which reads as if the server had answered 400
MAX_DETAIL = 300
"""Characters of the server's own words in a message."""


class CallFailedError(Exception):
    """One HTTP request that brought no answer.

    It passes through the limiter's slot, so that a limiter can learn from it: `problem.code` says what happened and
    `retry_after` how many seconds the server asks to wait, None when it does not say.
    """

    def __init__(self, problem: Problem, detail: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(problem.what)
        self.problem = problem
        self.detail = detail
        self.retry_after = retry_after

    def call_error(self, role: str, secrets: Iterable[str | None]) -> CallError:
        """The error as it is stored: no secret, one line, of bounded length."""
        said = " ".join(storable(without_userinfo(redact(self.detail, secrets))).split())
        said = f" ({said[:MAX_DETAIL]})" if said else ""
        message = f"The {role} {self.problem.what}{said}. {self.problem.advice.format(role=role)}"
        return CallError(self.problem.code, message, role, self.problem.stops_job)


class BlockedError(Exception):
    """The provider's filter stopped the exchange before the model answered: a finding, not a failure."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class OversizedError(httpx2.RequestError):
    """A response that is not read to its end, to keep memory flat."""


def failure(error: BaseException) -> CallFailedError | BlockedError:
    """What an exception of the HTTP stack means."""
    if isinstance(error, openai.APIStatusError):
        return status_failure(error.status_code, read_error(error.response.content), error.response.headers)
    return transport_failure(error)


def transport_failure(error: BaseException) -> CallFailedError:
    """What an exception that came in place of an answer means."""
    causes = tuple(_causes(error))
    detail = next((str(cause) for cause in reversed(causes) if str(cause)), type(causes[-1]).__name__)
    return CallFailedError(PROBLEMS[_transport_problem(causes)], _PARSER_PREFIX.sub("", detail))


def status_failure(status: int, body: ErrorBody, headers: Mapping[str, str]) -> CallFailedError | BlockedError:
    """What an error status with its body means."""
    if status in BLOCK_STATUSES and body.block_reason:
        return BlockedError(body.block_reason)
    said = body.message or _pointed_at(headers.get("location", ""))
    detail = f"HTTP {status}: {said}" if said else f"HTTP {status}"
    return CallFailedError(problem_of(status, body.codes), detail, retry_after=retry_after(headers))


def _pointed_at(location: str) -> str:
    """Where a redirect leads, without what may be secret in it: its query."""
    address = re.split(r"[?#]", location, maxsplit=1)[0]
    return f"to {address}" if address else ""


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the server asks to wait (`Retry-After-Ms`, or `Retry-After` in seconds or as a date), or None."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(name, "")) * unit
        except ValueError:
            continue
        if math.isfinite(seconds) and seconds >= 0:
            return seconds
    try:
        when = email.utils.parsedate_to_datetime(headers.get("retry-after", ""))
        return max(0.0, (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The exception and what it came from, outermost first."""
    for _ in range(10):
        if error is None:
            return
        yield error
        error = error.__cause__ or error.__context__


_TRANSPORT: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], str], ...] = (
    (OversizedError, "too_large"),
    (RefusedAddressError, "address_refused"),
    ((ssl.SSLCertVerificationError, aiohttp.ClientConnectorCertificateError), "certificate"),
    ((aiohttp.ServerTimeoutError, TimeoutError), "timeout"),
    ((aiohttp.ClientConnectorError, socket.gaierror, UnicodeError), "unreachable"),
    ((aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, ConnectionError, anyio.EndOfStream), "cut_off"),
    ((aiohttp.ClientResponseError, httpx2.DecodingError), "malformed"),
)
"""Asked in this order of the whole chain of causes: openai's transport reports a refused connection as a timeout."""


def _transport_problem(causes: tuple[BaseException, ...]) -> str:
    for kinds, name in _TRANSPORT:
        if any(isinstance(cause, kinds) for cause in causes):
            return name
    return "unreachable"
