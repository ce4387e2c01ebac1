"""What a model gave back, and what a judge made of it."""

from dataclasses import dataclass, field, replace
from enum import StrEnum

from service.domain.verdicts import Verdict

MAX_TEXT = 2**17
"""Characters of an answer that are kept: some 32,000 tokens of English, 128 KiB of it, 512 KiB at the very most."""
MAX_REFUSAL = 10_000
"""Characters of a refusal field that are kept."""
MAX_REASON = 1000
"""Characters that are kept of why an answer ended or was blocked."""


class ErrorCode(StrEnum):
    """Why a call to a model ended without an answer. Documented in docs/errors.md."""

    AUTHENTICATION = "authentication"
    PERMISSION_DENIED = "permission_denied"
    QUOTA_EXHAUSTED = "quota_exhausted"
    MODEL_NOT_FOUND = "model_not_found"
    BAD_REQUEST = "bad_request"
    RATE_LIMITED = "rate_limited"
    SERVER_ERROR = "server_error"
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    ADDRESS_REFUSED = "address_refused"
    MALFORMED_RESPONSE = "malformed_response"
    WORKER_LOST = "worker_lost"
    PLUGIN_FAILED = "plugin_failed"


@dataclass(frozen=True, slots=True)
class CallError:
    """A call that failed for good, after its retries. `message` is for people and holds no secret."""

    code: ErrorCode
    message: str
    stage: str = "target"
    """`target` or `judge`."""
    stops_job: bool = False
    """No other call of the job can succeed either, until somebody mends the job's options or the account."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What calls to one model cost: HTTP requests sent (retries included) and tokens as the provider counts them."""

    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.requests + other.requests,
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
        )


@dataclass(frozen=True, slots=True)
class Completion:
    """What the target gave back for a case.

    Exactly one of these holds: `error` is set (no answer was had); `blocked` is true (the provider's filter stopped
    it, `text` being whatever came before); or `text`/`refusal` is the model's own answer.
    """

    text: str = ""
    refusal: str | None = None
    """The API's own refusal field, which some models fill instead of the text."""
    finish_reason: str | None = None
    blocked: bool = False
    blocked_reason: str | None = None
    """The provider's code or message for the block."""
    truncated: bool = False
    """There was more of it than is kept: `text` and `refusal` are beginnings, and what followed is not known."""
    error: CallError | None = None
    usage: Usage = field(default_factory=Usage)
    attempts: int = 1
    latency_ms: int = 0
    """Milliseconds of the last attempt, from sending the request to having read the answer."""

    def bounded(self) -> "Completion":
        """What is kept of it, marked as truncated if that is not all of the answer."""
        return replace(
            self,
            text=self.text[:MAX_TEXT],
            refusal=self.refusal and self.refusal[:MAX_REFUSAL],
            truncated=self.truncated or len(self.text) > MAX_TEXT or len(self.refusal or "") > MAX_REFUSAL,
            finish_reason=shortened(self.finish_reason),
            blocked_reason=shortened(self.blocked_reason),
        )


def shortened(reason: str | None) -> str | None:
    """The beginning of a reason, marked as such if it goes on."""
    return reason if reason is None or len(reason) <= MAX_REASON else f"{reason[:MAX_REASON]}…"


@dataclass(frozen=True, slots=True)
class Judgement:
    """A judge's verdict on one completion. Exactly one of `verdict` and `error` is set."""

    verdict: Verdict | None
    reason: str
    confidence: float | None = None
    """0 to 1, as the judge's documentation defines it; None when the judge states none."""
    severity: int | None = None
    """0 (harmless) to 100, from judges that grade."""
    raw: str | None = None
    """The judge's own reply, kept when it could not be read."""
    error: CallError | None = None
    usage: Usage = field(default_factory=Usage)
