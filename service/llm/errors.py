"""What can go wrong in a call to a model: one table.

docs/errors.md shows the same table; a test holds the two together.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from service.domain.completions import ErrorCode


@dataclass(frozen=True, slots=True)
class Problem:
    """One row of the table: what a failed call is called, whether to try again, and what a person can do about it.

    `stops_job` is true when no other call of the job can succeed either. `when` and `advice` are for people; in
    `advice`, `{role}` is the model's part in the job.
    """

    code: ErrorCode
    retry: bool
    stops_job: bool
    when: str
    what: str
    advice: str


def _problem(code: ErrorCode, flags: str, *, when: str, what: str, advice: str) -> Problem:
    return Problem(code, "retry" in flags, "stop" in flags, when, what, advice)


PROBLEMS: dict[str, Problem] = {
    "key_refused": _problem(
        ErrorCode.AUTHENTICATION,
        "stop",
        when="HTTP 401; 403 with a code that speaks of the key or the account",
        what="refused the API key",
        advice="Check {role}.api_key.",
    ),
    "forbidden": _problem(
        ErrorCode.PERMISSION_DENIED,
        "",
        when="HTTP 403 otherwise; a firewall may answer so to a single prompt, hence the job goes on",
        what="denied this request",
        advice="Check what the key may do, and whether a firewall stands before the endpoint.",
    ),
    "quota": _problem(
        ErrorCode.QUOTA_EXHAUSTED,
        "stop",
        when="HTTP 402; 429 with a code that speaks of quota or billing (waiting does not help)",
        what="has no quota left for this key",
        advice="Raise the account's limit or balance, then retry the job.",
    ),
    "not_found": _problem(
        ErrorCode.MODEL_NOT_FOUND,
        "stop",
        when="HTTP 404, 405, 410; any status with a code that says the model is unknown",
        what="knows no such model or path",
        advice="Check {role}.model and {role}.base_url.",
    ),
    "redirect": _problem(
        ErrorCode.MODEL_NOT_FOUND,
        "stop",
        when="HTTP 3xx; redirects are not followed, since they would carry the key elsewhere",
        what="answered with a redirect",
        advice="Set {role}.base_url to the final address.",
    ),
    "bad_request": _problem(
        ErrorCode.BAD_REQUEST,
        "",
        when="other HTTP 4xx, such as a prompt beyond the context length",
        what="refused the request",
        advice="Check the sampling options of the {role} and the length of the prompt.",
    ),
    "rate_limited": _problem(
        ErrorCode.RATE_LIMITED,
        "retry",
        when="HTTP 429",
        what="is still limiting the rate after every attempt",
        advice="Lower {role}.max_concurrency or set {role}.requests_per_minute.",
    ),
    "server_error": _problem(
        ErrorCode.SERVER_ERROR,
        "retry",
        when="HTTP 409, 425, 5xx; 200 with an error object and no answer",
        what="failed on its side",
        advice="Look at the endpoint's own logs, then retry the job.",
    ),
    "timeout": _problem(
        ErrorCode.TIMEOUT,
        "retry",
        when="no complete answer within timeout_seconds; HTTP 408",
        what="gave no complete answer in time",
        advice="Raise {role}.timeout_seconds or lower {role}.max_concurrency.",
    ),
    "unreachable": _problem(
        ErrorCode.UNREACHABLE,
        "retry",
        when="name not resolved, no route, connection refused",
        what="could not be reached",
        advice="Check {role}.base_url and the network between.",
    ),
    "cut_off": _problem(
        ErrorCode.UNREACHABLE,
        "retry",
        when="connection reset or closed before the answer was complete",
        what="broke off before its answer was complete",
        advice="Look at the endpoint's own logs, and at proxies between.",
    ),
    "certificate": _problem(
        ErrorCode.UNREACHABLE,
        "stop",
        when="the server's TLS certificate is not trusted",
        what="showed a certificate that is not trusted",
        advice="Check {role}.base_url, or trust its authority through SSL_CERT_FILE.",
    ),
    "address_refused": _problem(
        ErrorCode.ADDRESS_REFUSED,
        "stop",
        when="the address is a machine's or a network's own (loopback, private, link-local, metadata), or the port "
        "another service's; nothing is sent",
        what="has an address or a port that must not be reached",
        advice="Check {role}.base_url, or have the operator add its network to PROOFHOUSE_ALLOWED_NETWORKS.",
    ),
    "malformed": _problem(
        ErrorCode.MALFORMED_RESPONSE,
        "retry",
        when="HTTP 200 that is no chat completion: not HTTP, not JSON, no choices, no message",
        what="answered with something that is not a chat completion",
        advice="Check that {role}.base_url ends where /chat/completions begins.",
    ),
    "no_moderation": _problem(
        ErrorCode.MALFORMED_RESPONSE,
        "retry",
        when="HTTP 200 that is no moderation (the judge `moderation`): not JSON, not one result, no scores",
        what="answered with something that is not a moderation",
        advice="Check that judge.base_url ends where /moderations begins.",
    ),
    "too_large": _problem(
        ErrorCode.MALFORMED_RESPONSE,
        "",
        when="a response above 1 MiB, or compressed although the request forbids it",
        what="sent a response that is too large or compressed",
        advice="Set a max_tokens for the {role}, and switch compression off at its server.",
    ),
}
"""Every row by a name of its own; docs/errors.md keeps their order."""

STATUSES: dict[int, str] = {
    401: "key_refused",
    402: "quota",
    403: "forbidden",
    404: "not_found",
    405: "not_found",
    408: "timeout",
    409: "server_error",
    410: "not_found",
    425: "server_error",
    429: "rate_limited",
}
"""Statuses with a row of their own; the rest go by their hundred."""

_HUNDREDS = {3: "redirect", 4: "bad_request", 5: "server_error"}

PROVIDER_CODES: dict[str, str] = {
    "invalid_api_key": "key_refused",
    "account_deactivated": "key_refused",
    "unsupported_country_region_territory": "key_refused",
    "insufficient_quota": "quota",
    "billing_hard_limit_reached": "quota",
    "billing_not_active": "quota",
    "model_not_found": "not_found",
    "deploymentnotfound": "not_found",
}
"""Providers' own error codes, lower case; they decide before the status does."""


def problem_of(status: int, codes: Iterable[str] = ()) -> Problem:
    """The row for an HTTP error status and the provider's codes."""
    for code in codes:
        if code in PROVIDER_CODES:
            return PROBLEMS[PROVIDER_CODES[code]]
    return PROBLEMS[STATUSES.get(status) or _HUNDREDS.get(status // 100, "malformed")]


def stops_job(code: ErrorCode) -> bool:
    """Whether an error of that code means that no other call can succeed, when nothing but the code is known."""
    return any(row.stops_job for row in PROBLEMS.values() if row.code is code and code is not ErrorCode.UNREACHABLE)
