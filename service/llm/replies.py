"""Reads a chat completion out of a response body, strictly enough to tell an answer from anything else."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from service.domain.completions import MAX_REFUSAL, MAX_TEXT
from service.llm.bodies import error_of, filtered, parse_json
from service.llm.errors import PROBLEMS
from service.llm.failures import BlockedError, CallFailedError, status_failure

BLOCK_REASONS = frozenset(
    {
        "blocklist",
        "content_filter",
        "content_filtered",
        "guardrail_intervened",
        "prohibited_content",
        "refusal",
        "safety",
        "sensitive",
        "spii",
    }
)
"""Finish reasons by which providers say that their filter cut the answer off, lower case."""
MAX_TOKENS = 10**8
"""A count above this is no count; the sum of all attempts at a call must fit four bytes of a database."""
MAX_NAME = 10_000
"""Characters of a finish reason or a model's name, which the server may choose."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The content of one chat completion, as the server sent it."""

    text: str
    refusal: str | None
    finish_reason: str | None
    blocked_reason: str | None
    prompt_tokens: int
    completion_tokens: int
    model: str | None = None
    """As the server calls it."""
    truncated: bool = False
    """There was more of text or refusal than is kept."""


def read_answer(body: bytes) -> Answer:
    """The answer in a response of HTTP 200.

    An empty, null or missing content is the answer "": so is one that only calls tools. A filter's finish reason
    makes it blocked, with the text that came before. Of a long text the beginning is kept, and marked as such.

    Raises:
        CallFailedError: it is no chat completion, or an error object in its place.
        BlockedError: it is an error object by which the provider's filter speaks.
    """
    try:
        value = parse_json(body)
    except ValueError as error:
        raise _malformed(f"not JSON: {error}") from error
    choice = _first_choice(value)
    message = choice.get("message")
    if not isinstance(message, dict):
        raise _malformed("no message in choices[0]")
    prompt_tokens, completion_tokens = token_counts(value)
    text, in_parts = _text(message.get("content"))
    refusal = _string(message.get("refusal")) or _string(in_parts)
    return Answer(
        text=text[:MAX_TEXT],
        refusal=refusal and refusal[:MAX_REFUSAL],
        finish_reason=_name(choice.get("finish_reason")),
        blocked_reason=_blocked_reason(choice),
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        model=_name(value.get("model")),
        truncated=len(text) > MAX_TEXT or len(refusal or "") > MAX_REFUSAL,
    )


def token_counts(value: Mapping[str, Any]) -> tuple[int, int]:
    """Prompt and completion tokens by the usage object of a response; 0 for what it does not say."""
    usage = value.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    return _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens"))


def _first_choice(value: Any) -> Mapping[str, Any]:
    choices = value.get("choices") if isinstance(value, dict) else None
    if isinstance(choices, list) and choices and isinstance(choices[0], dict):
        # Some gateways keep what had come before their upstream failed: no answer either.
        if choices[0].get("error") or choices[0].get("finish_reason") == "error":
            raise error_in_place_of_answer(choices[0])
        return choices[0]
    if isinstance(value, dict) and value.get("error"):
        raise error_in_place_of_answer(value)
    raise _malformed("no choices")


def error_in_place_of_answer(value: Mapping[str, Any]) -> CallFailedError | BlockedError:
    """Some gateways send their upstream's error under HTTP 200; a numeric code is then the upstream's status."""
    error = error_of(value)
    if error.block_reason:
        return BlockedError(error.block_reason)
    status = next((int(code) for code in error.codes if code.isascii() and code.isdigit() and len(code) == 3), 500)  # noqa: PLR2004 - an HTTP status
    return status_failure(status, error, {})


def _malformed(detail: str) -> CallFailedError:
    return CallFailedError(PROBLEMS["malformed"], detail)


def _text(content: Any) -> tuple[str, str]:
    """The text of a message and the refusal in it: a string, or the parts of a list of parts."""
    if content is None or isinstance(content, str):
        return content or "", ""
    if not isinstance(content, list):
        raise _malformed("the content is no text")
    parts = [part for part in content if isinstance(part, dict)]
    text, refusal = ("".join(_string(part.get(kind)) or "" for part in parts) for kind in ("text", "refusal"))
    return text, refusal


def _string(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _name(value: Any) -> str | None:
    name = _string(value)
    return name and name[:MAX_NAME]


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_TOKENS else 0


def _blocked_reason(choice: Mapping[str, Any]) -> str | None:
    reason = str(choice.get("finish_reason")).lower()
    if reason not in BLOCK_REASONS:
        return None
    found = ", ".join(filtered(choice.get("content_filter_results")))
    return f"{reason}: {found}" if found else reason
