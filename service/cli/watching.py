"""Following a job to its end."""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from service.cli.client import Client, Json, UnreachableError, job_path
from service.cli.exits import CommandError, Exit
from service.cli.progress import Display, display

POLL_SECONDS = 1.0
PATIENCE_SECONDS = 30.0
"""How long a service may be away, as when it is started again, before watching it is given up."""
ENDED = frozenset({"completed", "failed", "cancelled"})
RESTING = ENDED | {"paused"}
"""Nothing more will happen to the job unless somebody asks for it."""


@dataclass(frozen=True, slots=True)
class Clock:
    """Time, for tests to replace."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


def follow_shown(client: Client, job_id: str) -> Json:
    """Follow a job with progress shown on standard error, and say how to go on when interrupted."""
    try:
        with display() as shown:
            return follow(client, job_id, shown)
    except KeyboardInterrupt as interrupt:
        message = f"\nThe job goes on. Watch it again with: proofhouse watch {job_id}"
        raise CommandError(message, Exit.INTERRUPTED) from interrupt


def follow(client: Client, job_id: str, shown: Display, clock: Clock | None = None) -> Json:
    """Look at a job again and again until it has ended or is paused.

    Raises:
        UnreachableError: the service was away for longer than it takes to start it again.
    """
    return follow_at(client, job_path(job_id), shown, clock)


def follow_at(
    client: Client,
    path: str,
    shown: Display,
    clock: Clock | None = None,
    resting: Collection[str] = RESTING,
) -> Json:
    """Look at a job, a judgement or a suite again and again until its status is one of `resting`.

    Raises:
        UnreachableError: the service was away for longer than it takes to start it again.
    """
    clock = clock or Clock()
    heard = clock.now()
    away = False
    while True:
        try:
            job = client.get(path)
        except UnreachableError as error:
            if clock.now() - heard > PATIENCE_SECONDS:
                raise
            if not away:
                shown.note(f"{error} Trying again for {PATIENCE_SECONDS:.0f} s.")
            away = True
        else:
            heard, away = clock.now(), False
            shown.show(job)
            if job["status"] in resting:
                return job
        clock.sleep(POLL_SECONDS)
