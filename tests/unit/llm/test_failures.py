import email.utils
import itertools
import ssl
import time

import aiohttp
import pytest

from service.domain.completions import ErrorCode
from service.llm.bodies import ErrorBody
from service.llm.errors import PROBLEMS, stops_job
from service.llm.failures import MAX_DETAIL, BlockedError, CallFailedError, failure, retry_after, status_failure

KEY = "sk-canary-0123456789"


def classified(status: int, *codes: str) -> CallFailedError:
    found = status_failure(status, ErrorBody(codes=codes), {})
    assert isinstance(found, CallFailedError)
    return found


@pytest.mark.parametrize(
    ("status", "code", "row"),
    [
        (401, None, "key_refused"),
        (403, None, "forbidden"),
        (403, "unsupported_country_region_territory", "key_refused"),
        (402, None, "quota"),
        (429, None, "rate_limited"),
        (429, "insufficient_quota", "quota"),
        (404, None, "not_found"),
        (400, "model_not_found", "not_found"),
        (301, None, "redirect"),
        (400, "context_length_exceeded", "bad_request"),
        (422, None, "bad_request"),
        (408, None, "timeout"),
        (409, None, "server_error"),
        (500, None, "server_error"),
        (529, None, "server_error"),
        (500, "content_filter", "server_error"),
        (429, "content_filter", "rate_limited"),
    ],
)
def test_statuses_and_codes(status: int, code: str | None, row: str) -> None:
    assert classified(status, *([code] if code else [])).problem is PROBLEMS[row]


@pytest.mark.parametrize("status", [400, 403, 422, 451])
def test_a_policy_code_is_a_block(status: int) -> None:
    assert isinstance(status_failure(status, ErrorBody(codes=("content_filter",)), {}), BlockedError)


def chained(*errors: BaseException) -> BaseException:
    for outer, inner in itertools.pairwise(errors):
        outer.__cause__ = inner
    return errors[0]


def test_the_innermost_cause_counts_not_its_wrapping() -> None:
    connecting = aiohttp.ClientOSError(104, "Connection reset by peer")
    found = failure(chained(MisnamedTimeoutError(), connecting))
    assert isinstance(found, CallFailedError)
    assert found.problem is PROBLEMS["cut_off"]
    assert "reset" in found.detail


class MisnamedTimeoutError(Exception):
    """As openai's transport reports a reset connection."""


def test_an_untrusted_certificate_stops_the_job() -> None:
    found = failure(chained(OSError("x"), ssl.SSLCertVerificationError(1, "self-signed certificate")))
    assert isinstance(found, CallFailedError)
    assert (found.problem.code, found.problem.stops_job) == (ErrorCode.UNREACHABLE, True)


def test_messages_are_short_say_what_to_do_and_hold_no_secret() -> None:
    body = ErrorBody(message=f"key {KEY} at https://u:p@host\n\x00" + "x" * 1000)
    found = status_failure(401, body, {})
    assert isinstance(found, CallFailedError)
    error = found.call_error("judge", [KEY])
    assert error.message.startswith(
        "The judge refused the API key (HTTP 401: key [redacted] at https://[redacted]@host"
    )
    assert error.message.endswith(". Check judge.api_key.")
    assert len(error.message) < MAX_DETAIL + 100
    assert (error.stage, error.stops_job) == ("judge", True)
    assert not {"\x00", "\n"} & set(error.message)


def test_a_key_is_masked_before_the_text_is_cut() -> None:
    detail = "x" * (MAX_DETAIL - 10) + KEY
    assert "sk-canary" not in CallFailedError(PROBLEMS["forbidden"], detail).call_error("target", [KEY]).message


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
        ({"retry-after": "Wed, 99 Oct 99999999 07:28:00 GMT"}, None),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


def test_retry_after_as_a_date() -> None:
    date = email.utils.formatdate(time.time() + 30, usegmt=True)
    assert retry_after({"retry-after": date}) == pytest.approx(30, abs=2)


def test_which_codes_stop_a_job() -> None:
    stopping = {code for code in ErrorCode if stops_job(code)}
    assert stopping == {
        ErrorCode.AUTHENTICATION,
        ErrorCode.QUOTA_EXHAUSTED,
        ErrorCode.MODEL_NOT_FOUND,
        ErrorCode.ADDRESS_REFUSED,
    }
