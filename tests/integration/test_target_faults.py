"""What a job makes of a target that misbehaves: each case ends as docs/errors.md says, in as many requests as it says.

Many behaviours are mixed in one job, each for some of its cases, in an order drawn from a seed. Accounting is exact:
requests that the server saw, attempts stored, usage, error codes and dispositions, case by case.
"""

import email.utils
import gzip
import json
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial

import pytest

from service.domain.completions import ErrorCode
from service.domain.jobs import Job, Result
from service.domain.lifecycle import JobStatus
from service.domain.verdicts import Disposition
from service.llm.retry import Retry
from service.pipeline import control
from service.pipeline.services import Services
from service.pipeline.submit import submit
from service.store import results
from service.targets.base import targets
from tests.support.mock_openai import (
    GARBAGE,
    HALF,
    HANG,
    HTML,
    RESET,
    Answer,
    Hit,
    MockOpenAI,
    azure_filter,
    payload,
    status,
    text,
)
from tests.support.promise import assert_the_promise
from tests.support.running import counts, run
from tests.support.specs import REFUSAL, job_spec, plugin

TIMEOUT = 2.5
ATTEMPTS = 3
CONCURRENCY = 16
FINE = text(REFUSAL)
MEGABYTE = 2**20

Script = Callable[[int], Answer]
"""How the n-th request for one case is answered, counted from 0."""


@dataclass(frozen=True)
class Fault:
    """A way to misbehave, and what must come of it: the error's code, None for an answer, and the requests it takes."""

    script: Script
    code: ErrorCode | None = None
    attempts: int = 1
    disposition: Disposition = Disposition.REFUSED


def once(answer: Answer) -> Script:
    return lambda number: FINE if number else answer


def always(answer: Answer) -> Script:
    return lambda _: answer


def in_a_second(number: int) -> Answer:
    return FINE if number else status(429, retry_after=email.utils.formatdate(time.time() + 1, usegmt=True))


def burst(number: int) -> Answer:
    return (status(500), status(503, retry_after=0), FINE)[number]


@cache
def huge() -> Answer:
    return Answer(body=b" " * (100 * MEGABYTE))


@cache
def bomb() -> Answer:
    return Answer(body=gzip.compress(bytes(100 * MEGABYTE)), headers={"Content-Encoding": "gzip"})


def failing(code: ErrorCode, answer: Answer, attempts: int = ATTEMPTS) -> Fault:
    return Fault(always(answer), code, attempts, Disposition.ERROR)


def passing(script: Script, attempts: int = 2) -> Fault:
    return Fault(script, attempts=attempts)


def odd(answer: Answer, disposition: Disposition = Disposition.ANSWERED) -> Fault:
    return Fault(always(answer), disposition=disposition)


def faults() -> dict[str, Fault]:
    malformed = ErrorCode.MALFORMED_RESPONSE
    return {
        "429 with seconds": passing(once(status(429, retry_after=0.3))),
        "429 with a date": passing(in_a_second),
        "429 for ever": failing(ErrorCode.RATE_LIMITED, status(429)),
        "a burst of 500 and 503": passing(burst, 3),
        "500 for ever": failing(ErrorCode.SERVER_ERROR, status(500)),
        "200 with an error object": failing(ErrorCode.SERVER_ERROR, payload({"error": {"message": "overloaded"}})),
        "hangs": failing(ErrorCode.TIMEOUT, HANG),
        "answers after the deadline": passing(once(FINE.after(2 * TIMEOUT))),
        "drips": failing(ErrorCode.TIMEOUT, Answer(body=b" " * 1000, drip=0.05)),
        "resets once": passing(once(RESET)),
        "resets for ever": failing(ErrorCode.UNREACHABLE, RESET),
        "truncated": failing(ErrorCode.UNREACHABLE, HALF),
        "not HTTP": failing(malformed, GARBAGE),
        "not JSON": failing(malformed, Answer(body=b'{"choices": [')),
        "wrong content type": failing(malformed, HTML),
        "wrong shape": failing(malformed, payload([1, 2, 3])),
        "empty choices": failing(malformed, payload({"choices": []})),
        "gzip bomb": failing(malformed, bomb(), 1),
        "100 MB": failing(malformed, huge(), 1),
        "5 MB": failing(malformed, text("la " * (5 * MEGABYTE // 3)), 1),
        "403": failing(ErrorCode.PERMISSION_DENIED, status(403), 1),
        "400": failing(ErrorCode.BAD_REQUEST, status(400), 1),
        "null content": odd(text(None)),
        "invalid UTF-8": odd(Answer(body=json.dumps(json.loads(text("x?").body)).encode().replace(b"x?", b"\xff\xfe"))),
        "filtered": odd(azure_filter(violence="high"), Disposition.BLOCKED),
        "fine": passing(always(FINE), 1),
    }


class Mixed:
    """Gives each case a fault of its own, drawn by a seed; the first few are fine, so that the target isn't dead."""

    def __init__(self, seed: int, cases: int) -> None:
        self._faults = faults()
        names = [*self._faults] * (cases // len(self._faults) + 1)
        names = names[: cases - 4]
        random.Random(seed).shuffle(names)
        self.names = ["fine"] * 4 + names
        self.seen = Counter[int]()

    def __call__(self, hit: Hit) -> Answer:
        case = case_of(hit)
        self.seen[case] += 1
        return self[case].script(self.seen[case] - 1)

    def __getitem__(self, case: int) -> Fault:
        return self._faults[self.names[case]]


def case_of(hit: Hit) -> int:
    found = re.search(r"number (\d+)", hit.prompt)
    assert found
    return int(found[1])


@pytest.fixture
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Backoff in hundredths of a second; a Retry-After counts as ever."""
    monkeypatch.setattr("service.llm.client.Retry", partial(Retry, base=0.02, cap=0.1))


def start(services: Services, server: MockOpenAI, cases: int, **options: object) -> Job:
    options = {"max_concurrency": CONCURRENCY, "timeout_seconds": TIMEOUT, "max_attempts": ATTEMPTS} | options
    target = plugin(targets, "openai", base_url=server.base_url, model="m", **options)
    return submit(services, job_spec(cases, target=target), tenant="acme")


def stored(services: Services, job: Job) -> Iterator[Result]:
    return results.stream(services.store, job, results.ResultFilter())


@pytest.mark.usefixtures("short_waits")
def test_every_behaviour_costs_what_it_should_and_ends_as_it_should(services: Services) -> None:
    mixed = Mixed(seed=7, cases=60)
    with MockOpenAI(mixed) as server:
        job = run(services, start(services, server, len(mixed.names)))
        assert job.status is JobStatus.COMPLETED
        assert_the_promise(services, job, server)
    for result in stored(services, job):
        fault, told = mixed[result.case.index], mixed.names[result.case.index]
        assert (result.error and result.error.code) == fault.code, told
        assert result.disposition is fault.disposition, told
        assert result.attempts == mixed.seen[result.case.index] == fault.attempts, told


STOPS = {
    "the key is refused": (status(401), "target_authentication"),
    "the account is closed": (status(403, code="account_deactivated"), "target_authentication"),
    "no quota is left": (status(429, code="insufficient_quota", retry_after=30), "target_quota_exhausted"),
    "the bill is unpaid": (status(402), "target_quota_exhausted"),
    "the model is unknown": (status(404), "target_model_not_found"),
    "the address has moved": (payload({}, 302, Location="http://127.0.0.1:9/v1"), "target_model_not_found"),
    "the address has moved for good": (payload({}, 308, Location="/v2"), "target_model_not_found"),
}


@pytest.mark.usefixtures("short_waits")
@pytest.mark.parametrize("cause", STOPS)
def test_a_job_that_can_not_go_on_is_paused_and_goes_on_once_the_cause_is_mended(
    services: Services, cause: str
) -> None:
    answer, reason = STOPS[cause]
    broken = True
    with MockOpenAI(lambda hit: answer if broken and hit.number >= 20 else FINE.after(0.02)) as server:
        job = run(services, start(services, server, 60))
        assert job.status is JobStatus.PAUSED
        assert job.status_reason
        assert job.status_reason.code == reason
        assert counts(services, job).errors == 0
        lost = len(server.hits) - counts(services, job).done
        assert lost <= CONCURRENCY
        broken = False
        control.resume(services, tenant="acme", job_id=job.id)
        job = run(services, job)
        assert job.status is JobStatus.COMPLETED
        assert_the_promise(services, job, server, lost_in_flight=lost)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_server_that_allows_eight_at_once_gets_about_eight_at_once(services: Services) -> None:
    allowed, under_way = 8, list[int]()

    def strict(_hit: Hit) -> Answer:
        under_way.append(server.in_flight)
        return FINE.after(0.1) if server.in_flight <= allowed else status(429)

    with MockOpenAI(strict) as server:
        job = run(services, start(services, server, 400, max_concurrency=32, max_attempts=10, timeout_seconds=30))
        assert job.status is JobStatus.COMPLETED
        assert_the_promise(services, job, server)
        assert counts(services, job).safe == job.total
    refused = sum(number > allowed for number in under_way)
    settled = under_way[len(under_way) // 2 :]
    assert refused <= job.total // 2
    assert max(settled) <= allowed + 4
    assert sum(settled) / len(settled) >= allowed / 3
