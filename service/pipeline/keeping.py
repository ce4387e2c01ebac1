"""Keeping the claim on a suite for as long as its making takes, whatever is done for it."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from service.domain.jobs import Suite
from service.pipeline.services import Services
from service.store import making
from service.store.patience import patient

RENEW_SECONDS = 2
"""Between renewals of the lease, which lasts 15 seconds; that a suite is not wanted any more is noticed with it."""

T = TypeVar("T")


async def keeping(services: Services, suite: Suite, token: str, work: Coroutine[Any, Any, T]) -> T:
    """Do the work, which must leave the event loop free, while the claim is renewed beside it.

    Raises:
        StaleClaimError: the suite has passed to another worker, or nobody wants it now; the work was cut off.
    """
    try:
        async with asyncio.TaskGroup() as group:
            renewing = group.create_task(_renew_again_and_again(services, suite, token))
            done = await work
            renewing.cancel()
    except ExceptionGroup as failed:
        raise _first(failed) from failed
    return done


async def _renew_again_and_again(services: Services, suite: Suite, token: str) -> None:
    while True:
        await asyncio.sleep(RENEW_SECONDS)
        await asyncio.to_thread(_renew, services, suite, token)


@patient
def _renew(services: Services, suite: Suite, token: str) -> None:
    with services.store.write() as session:
        making.renew(session, suite.id, token)


def _first(group: BaseExceptionGroup[Exception]) -> Exception:
    """The error that ended it all: whatever else went wrong followed from it."""
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
