"""Deliveries of webhooks: where one stands, what may go wrong with an attempt, and when the next one is made."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

WAITS = (5.0, 5 * 60.0, 30 * 60.0, 2 * 3600.0, 5 * 3600.0, 8 * 3600.0, 10 * 3600.0)
"""Seconds from each failed attempt to the next: eight attempts over about a day."""

MAX_ATTEMPTS = len(WAITS) + 1
JITTER = 0.2
"""Waits are up to this share longer, so that what failed together does not come back together."""

MAX_RETRY_AFTER = 24 * 3600.0
"""The longest that a receiver may put an attempt off, in seconds."""


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    GIVEN_UP = "given_up"


class AttemptResult(StrEnum):
    """What came of one attempt; a label of a metric."""

    DELIVERED = "delivered"
    RETRIED = "retried"
    GONE = "gone"
    GIVEN_UP = "given_up"

    @property
    def state(self) -> DeliveryState:
        """Where it leaves the delivery."""
        return _LEFT[self]


_LEFT = {
    AttemptResult.DELIVERED: DeliveryState.DELIVERED,
    AttemptResult.RETRIED: DeliveryState.WAITING,
    AttemptResult.GONE: DeliveryState.GIVEN_UP,
    AttemptResult.GIVEN_UP: DeliveryState.GIVEN_UP,
}


class DeliveryError(StrEnum):
    """Why an attempt was of no avail."""

    STATUS = "status"
    GONE = "gone"
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    MALFORMED = "malformed"
    ADDRESS_REFUSED = "address_refused"
    SECRETS_UNREADABLE = "secrets_unreadable"
    WORKER_LOST = "worker_lost"

    @property
    def message(self) -> str:
        """What it means and what to do."""
        return _MEANINGS[self]


_MEANINGS = {
    DeliveryError.STATUS: "The receiver answered with last_status, which is no 2xx; redirects are not followed.",
    DeliveryError.GONE: "The receiver answered 410: it wants no more of this.",
    DeliveryError.TIMEOUT: "The receiver did not answer within 15 seconds: let it answer first and work later.",
    DeliveryError.UNREACHABLE: "The receiver could not be reached, or its certificate is not trusted.",
    DeliveryError.MALFORMED: "What answered there does not speak HTTP.",
    DeliveryError.ADDRESS_REFUSED: (
        "The receiver has an address that must not be reached: have the operator add its network to "
        "PROOFHOUSE_ALLOWED_NETWORKS, then redeliver."
    ),
    DeliveryError.SECRETS_UNREADABLE: "The worker has not the key under which the webhook's secret was encrypted.",
    DeliveryError.WORKER_LOST: "The workers that sent it died each time; their logs may say why.",
}


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to a webhook. Its id is the message's, the same in every attempt."""

    id: str
    job_id: str
    type: str
    created_at: datetime
    state: DeliveryState
    attempts: int
    next_attempt_at: datetime | None
    """None when none is to be made, or one is under way."""
    last_status: int | None
    """The HTTP status that the last attempt was answered with; None when there was no answer."""
    last_error: DeliveryError | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What one attempt brought: a status or, if there was no answer, why not."""

    status: int | None = None
    error: DeliveryError | None = None
    retry_after: float | None = None
    """Seconds that the receiver asks to wait."""


def result_of(answer: Answer, attempt: int) -> AttemptResult:
    """What comes of that attempt, counted from 1."""
    if answer.error is None:
        return AttemptResult.DELIVERED
    if answer.error is DeliveryError.GONE:
        return AttemptResult.GONE
    if answer.error is DeliveryError.ADDRESS_REFUSED or attempt >= MAX_ATTEMPTS:
        return AttemptResult.GIVEN_UP
    return AttemptResult.RETRIED


def wait_after(attempt: int, retry_after: float | None, draw: float) -> float:
    """Seconds from the failure of an attempt, of which there is a next, to that; `draw` is from 0 to 1.

    A receiver can put the next attempt off and not bring it forward, which would use the attempts up.
    """
    wait = max(WAITS[attempt - 1], min(retry_after or 0.0, MAX_RETRY_AFTER))
    return wait * (1 + JITTER * draw)
