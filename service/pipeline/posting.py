"""One HTTP POST to a webhook: to a checked address, within a time, no redirect followed; only the status counts."""

import asyncio
import time

import aiohttp
from yarl import URL

from service.domain.completions import ErrorCode
from service.domain.deliveries import Answer, DeliveryError
from service.domain.webhooks import signed_headers
from service.llm.failures import TRANSPORT_ERRORS, retry_after, transport_failure

TIMEOUT_SECONDS = 15.0
GONE = 410
ASKING_TO_WAIT = frozenset({429, 503})
"""Statuses beside which a Retry-After is heeded."""

_ERRORS = {
    ErrorCode.TIMEOUT: DeliveryError.TIMEOUT,
    ErrorCode.ADDRESS_REFUSED: DeliveryError.ADDRESS_REFUSED,
    ErrorCode.MALFORMED_RESPONSE: DeliveryError.MALFORMED,
}


async def post(http: aiohttp.ClientSession, url: str, secret: str, message_id: str, body: str) -> Answer:
    """Send a body, signed. What the receiver says beside its status is not read: it may be anything."""
    content = body.encode()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "proofhouse",
        **signed_headers(secret, message_id, int(time.time()), content),
    }
    address = URL(url, encoded=True)  # as it was given, down to its last escape
    try:
        async with (
            asyncio.timeout(TIMEOUT_SECONDS),
            http.post(address, data=content, headers=headers, allow_redirects=False) as response,
        ):
            return _answer(response)
    except TRANSPORT_ERRORS as error:
        return Answer(error=_ERRORS.get(transport_failure(error).problem.code, DeliveryError.UNREACHABLE))


def _answer(response: aiohttp.ClientResponse) -> Answer:
    if response.status // 100 == 2:  # noqa: PLR2004 - 2xx
        return Answer(response.status)
    if response.status == GONE:
        return Answer(response.status, DeliveryError.GONE)
    wait = retry_after(response.headers) if response.status in ASKING_TO_WAIT else None
    return Answer(response.status, DeliveryError.STATUS, wait)
