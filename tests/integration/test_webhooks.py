"""Webhooks over real connections: told at least once, whatever dies on the way, and to nobody who must not be reached.

Waits and leases are wound back instead of waited for.
"""

import logging
import signal
import threading
from dataclasses import replace
from itertools import chain, repeat

import pytest
from cryptography.fernet import Fernet
from prometheus_client import REGISTRY

from service import failpoints, tracing
from service.domain.deliveries import MAX_ATTEMPTS, AttemptResult, Delivery, DeliveryError, DeliveryState
from service.domain.jobs import Job
from service.failpoints import FailpointError
from service.pipeline import control, posting
from service.pipeline.deliver import AT_ONCE, deliver
from service.pipeline.notify import TASK, redeliver
from service.pipeline.services import Services
from service.pipeline.sweep import sweep
from service.settings import Settings
from service.store.reseal import reseal_all
from service.store.vault import Vault
from tests.support.connects import network
from tests.support.databases import on_both
from tests.support.hooks import TAKEN, Receiver, ended, ids, told, verified, with_webhook
from tests.support.lives import deliver_through
from tests.support.mock_openai import GARBAGE, HANG, RESET, Answer
from tests.support.running import run, wind_back
from tests.support.spans import is_child, recorded

BROKEN = Answer(500)
SHORT_SECONDS = 1.5
"""In place of fifteen, and long enough for a receiver that answers at once."""


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> str:
    """SQLite: the claims are tried on both databases by test_deliveries.py and test_notify.py."""
    kind = getattr(request, "param", "sqlite")
    url: str = request.getfixturevalue("postgres_url" if kind == "postgresql" else "sqlite_url")
    return url


def attempt(services: Services) -> None:
    """The next attempt, as soon as it is due."""
    wind_back(services)
    deliver(services)


def only(services: Services, job: Job) -> Delivery:
    (delivery,) = told(services, job)
    return delivery


def counted(result: AttemptResult) -> float:
    return REGISTRY.get_sample_value("proofhouse_webhook_deliveries_total", {"result": result.value}) or 0.0


@on_both
def test_a_completed_job_is_told_once_and_signed(services: Services) -> None:
    before = counted(AttemptResult.DELIVERED)
    with Receiver() as receiver:
        job = run(services, with_webhook(services, receiver.url, labels={"team": "platform"}))
        deliver(services)
        attempt(services)
    (hit,) = receiver.hits
    event = verified(hit)
    assert (event["type"], event["data"]["id"], event["data"]["labels"]) == (
        "job.completed",
        job.id,
        {"team": "platform"},
    )
    assert (hit.path, hit.headers["Content-Type"]) == ("/hooks?token=sesame", "application/json")
    assert ids([hit]) == [only(services, job).id]
    assert (only(services, job).state, only(services, job).last_status) == (DeliveryState.DELIVERED, 204)
    assert counted(AttemptResult.DELIVERED) == before + 1


def test_no_prompt_and_no_answer_is_told(services: Services) -> None:
    with Receiver() as receiver:
        run(services, with_webhook(services, receiver.url))
        deliver(services)
    assert b"pick lock" not in receiver.hits[0].content
    assert b"sorry" not in receiver.hits[0].content


def test_a_receiver_that_was_down_is_told_when_it_is_up(services: Services) -> None:
    with Receiver() as receiver:
        port = receiver.port
    job = ended(services, receiver.url)
    attempt(services)
    assert (only(services, job).last_status, only(services, job).last_error) == (None, DeliveryError.UNREACHABLE)
    with Receiver(port=port) as receiver:
        deliver(services)
        assert receiver.hits == [], "the wait is not over"
        attempt(services)
    assert (only(services, job).state, only(services, job).attempts) == (DeliveryState.DELIVERED, 2)


def test_failures_are_tried_again_under_one_id_until_it_is_taken(services: Services) -> None:
    before = counted(AttemptResult.RETRIED)
    with Receiver(BROKEN, Answer(404), TAKEN) as receiver:
        job = ended(services, receiver.url)
        for _ in range(4):
            attempt(services)
    assert ids(receiver.hits) == [only(services, job).id] * 3
    assert {hit.content for hit in receiver.hits} == {receiver.hits[0].content}
    assert (only(services, job).state, only(services, job).last_error) == (DeliveryState.DELIVERED, None)
    assert counted(AttemptResult.RETRIED) == before + 2


def test_after_the_last_attempt_it_is_given_up_and_can_be_sent_again(services: Services) -> None:
    before = counted(AttemptResult.GIVEN_UP)
    with Receiver(BROKEN) as receiver:
        job = ended(services, receiver.url)
        for _ in range(MAX_ATTEMPTS + 1):
            attempt(services)
        assert len(receiver.hits) == MAX_ATTEMPTS
        assert (only(services, job).state, only(services, job).last_status) == (DeliveryState.GIVEN_UP, 500)
        receiver.behave(TAKEN)
        redeliver(services, tenant="acme", job_id=job.id)
        deliver(services)
    assert len(set(ids(receiver.hits))) == 1
    assert (only(services, job).state, only(services, job).attempts) == (DeliveryState.DELIVERED, 1)
    assert counted(AttemptResult.GIVEN_UP) == before + 1


def test_a_receiver_that_is_gone_is_not_asked_again(services: Services) -> None:
    before = counted(AttemptResult.GONE)
    with Receiver(Answer(410)) as receiver:
        job = ended(services, receiver.url)
        for _ in range(2):
            attempt(services)
    assert len(receiver.hits) == 1
    assert (only(services, job).state, only(services, job).last_error) == (DeliveryState.GIVEN_UP, DeliveryError.GONE)
    assert counted(AttemptResult.GONE) == before + 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(services: Services, status: int) -> None:
    with Receiver() as elsewhere, Receiver(Answer(status, headers={"Location": elsewhere.url})) as receiver:
        job = ended(services, receiver.url)
        deliver(services)
    assert elsewhere.hits == []
    assert (only(services, job).state, only(services, job).last_status) == (DeliveryState.WAITING, status)


@pytest.mark.parametrize(
    ("answer", "error"),
    [(RESET, DeliveryError.UNREACHABLE), (GARBAGE, DeliveryError.MALFORMED), (HANG, DeliveryError.TIMEOUT)],
    ids=["cut off", "not HTTP", "never answers"],
)
def test_what_is_no_answer_is_tried_again(
    services: Services, answer: Answer, error: DeliveryError, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting, "TIMEOUT_SECONDS", SHORT_SECONDS)
    with Receiver(answer) as receiver:
        job = ended(services, receiver.url)
        deliver(services)
    assert (only(services, job).state, only(services, job).last_error) == (DeliveryState.WAITING, error)


def test_a_status_is_enough_however_slowly_the_rest_comes(services: Services) -> None:
    with Receiver(Answer(200, b"thank you" * 100, drip=0.1)) as receiver:
        job = ended(services, receiver.url)
        deliver(services)
    assert only(services, job).state is DeliveryState.DELIVERED


def test_one_that_hangs_does_not_hold_up_the_others(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "TIMEOUT_SECONDS", SHORT_SECONDS)
    with Receiver(HANG) as slow, Receiver() as quick:
        slow_jobs = [ended(services, slow.url) for _ in range(3)]
        quick_job = ended(services, quick.url)
        deliver(services)
        assert slow.peak == 3
    assert [only(services, job).last_error for job in slow_jobs] == [DeliveryError.TIMEOUT] * 3
    assert only(services, quick_job).state is DeliveryState.DELIVERED


def test_names_that_are_not_found_for_long_do_not_hold_up_the_others(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting, "TIMEOUT_SECONDS", SHORT_SECONDS)

    answered, waited = threading.Event(), []

    def lost() -> list[str]:
        waited.append(answered.wait(SHORT_SECONDS + 5))
        return ["127.0.0.1"]

    names = {f"lost{number}_example": lost for number in range(AT_ONCE - 1)}
    with Receiver() as receiver, network("127.0.0.1/32", **names, known_example=["127.0.0.1"]):
        lost_jobs = [ended(services, f"http://{name.replace('_', '.')}:{receiver.port}/") for name in names]
        known = ended(services, f"http://known.example:{receiver.port}/")
        deliver(services)
        assert waited == []
        answered.set()
    assert only(services, known).state is DeliveryState.DELIVERED
    assert {only(services, job).last_error for job in lost_jobs} == {DeliveryError.TIMEOUT}


@pytest.mark.parametrize("status", [429, 503])
def test_a_receiver_that_asks_to_wait_is_left_alone_for_so_long(services: Services, status: int) -> None:
    with Receiver(Answer(status, headers={"Retry-After": "7200"})) as receiver:
        job = ended(services, receiver.url)
        deliver(services)
    delivery = only(services, job)
    assert delivery.next_attempt_at
    assert 7200 <= (delivery.next_attempt_at - delivery.created_at).total_seconds() < 7200 * 1.3


@on_both
def test_a_crash_between_the_end_and_the_queue_loses_nothing(services: Services) -> None:
    with Receiver() as receiver:
        job = with_webhook(services, receiver.url)
        failpoints.arm("completed=raise")
        with pytest.raises(ExceptionGroup, match="TaskGroup"):
            run(services, job)
        failpoints.arm("")
        assert [task for task in services.queue.waiting() if task.startswith(TASK)] == []
        services.redis.delete(f"rq:queue:{services.queue.name}")
        assert sweep(services) == 1
        assert services.queue.waiting() == [f"{TASK}-{only(services, job).id}-1"]
        deliver(services)
    assert verified(receiver.hits[0])["data"]["progress"]["done"] == 3


@on_both
@pytest.mark.parametrize(("place", "sent"), [("delivering", 1), ("posted", 2)])
def test_a_worker_killed_in_the_middle_costs_an_attempt_and_no_event(
    services: Services, settings: Settings, place: str, sent: int
) -> None:
    with Receiver() as receiver:
        job = ended(services, receiver.url)
        assert deliver_through(settings, f"{place}=kill") == -signal.SIGKILL
        deliver(services)
        assert len(receiver.hits) == sent - 1, "its lease is not over"
        services.redis.delete(f"rq:queue:{services.queue.name}")
        wind_back(services)
        sweep(services)
        deliver(services)
    assert ids(receiver.hits) == [only(services, job).id] * sent
    assert (only(services, job).state, only(services, job).attempts) == (DeliveryState.DELIVERED, 2)


def test_what_kills_its_worker_each_time_is_given_up(services: Services) -> None:
    with Receiver() as receiver:
        job = ended(services, receiver.url)
        for _ in range(MAX_ATTEMPTS):
            failpoints.arm("delivering=raise")
            with pytest.raises(FailpointError):
                attempt(services)
        failpoints.arm("")
        attempt(services)
    assert receiver.hits == []
    assert only(services, job).state is DeliveryState.GIVEN_UP
    assert only(services, job).last_error is DeliveryError.WORKER_LOST


def test_more_than_one_task_can_send_are_left_to_the_next(services: Services) -> None:
    with Receiver() as receiver:
        for _ in range(AT_ONCE + 1):
            ended(services, receiver.url)
        services.redis.delete(f"rq:queue:{services.queue.name}")
        deliver(services)
        assert len(receiver.hits) == AT_ONCE
        assert len(services.queue.waiting()) == 1
        deliver(services)
    assert len(set(ids(receiver.hits))) == AT_ONCE + 1


def test_an_address_that_is_refused_is_not_connected_to_nor_asked_again(services: Services) -> None:
    job = ended(services, "http://metadata.example/hooks")
    with network(metadata_example=["169.254.169.254"]) as recorded:
        for _ in range(2):
            attempt(services)
    assert recorded.connects == []
    assert recorded.lookups == ["metadata.example"]
    assert only(services, job).state is DeliveryState.GIVEN_UP
    assert only(services, job).last_error is DeliveryError.ADDRESS_REFUSED


def test_a_name_that_turns_to_a_refused_address_is_refused_from_then_on(services: Services) -> None:
    answers = chain([["127.0.0.1"]], repeat(["10.0.0.1"]))
    with Receiver(BROKEN) as receiver, network("127.0.0.1/32", turning_example=lambda: next(answers)) as recorded:
        job = ended(services, f"http://turning.example:{receiver.port}/hooks")
        for _ in range(2):
            attempt(services)
    assert recorded.connects == ["127.0.0.1"]
    assert only(services, job).last_error is DeliveryError.ADDRESS_REFUSED


def test_no_proxy_of_the_environment_is_asked(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with Receiver() as receiver:
        job = ended(services, receiver.url)
        deliver(services)
    assert only(services, job).state is DeliveryState.DELIVERED


def test_a_worker_without_the_key_leaves_it_to_a_later_attempt(services: Services) -> None:
    with Receiver() as receiver:
        job = ended(services, receiver.url)
        deliver(replace(services, vault=Vault([Fernet.generate_key().decode()])))
        assert only(services, job).last_error is DeliveryError.SECRETS_UNREADABLE
        attempt(services)
    assert only(services, job).state is DeliveryState.DELIVERED


def test_a_webhook_outlives_a_change_of_the_encryption_key(services: Services, settings: Settings) -> None:
    new = Fernet.generate_key().decode()
    with Receiver() as receiver:
        ended(services, receiver.url)
        assert reseal_all(services.store, Vault([new, *settings.secret_keys])) == 1
        deliver(replace(services, vault=Vault([new])))
    assert verified(receiver.hits[0])["type"] == "job.cancelled"


def test_a_fault_in_one_costs_that_one_alone(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = services.vault.open

    with Receiver() as receiver:
        first, second = (ended(services, receiver.url) for _ in range(2))
        calls = iter([True, False])

        def open_or_fail(vault: Vault, sealed: bytes | None) -> dict[str, dict[str, str]]:
            if next(calls):
                raise RuntimeError("a fault")
            return opened(sealed)

        monkeypatch.setattr(Vault, "open", open_or_fail)
        deliver(services)
    states = {only(services, job).state for job in (first, second)}
    assert states == {DeliveryState.WAITING, DeliveryState.DELIVERED}


def test_a_job_deleted_while_it_is_told_leaves_nothing(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    before = counted(AttemptResult.DELIVERED)
    with Receiver() as receiver:
        job = ended(services, receiver.url)
        answered = posting._answer

        def deleting(response: object) -> object:
            control.delete(services, tenant="acme", job_id=job.id)
            return answered(response)  # type: ignore[arg-type]

        monkeypatch.setattr(posting, "_answer", deleting)
        deliver(services)
    assert told(services, job) == []
    assert counted(AttemptResult.DELIVERED) == before


def test_no_line_of_the_log_has_the_address(services: Services, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="service")
    with Receiver(BROKEN, TAKEN) as receiver:
        job = ended(services, receiver.url)
        for _ in range(2):
            attempt(services)
    lines = [record.getMessage() for record in caplog.records]
    assert [line for line in lines if line.startswith(only(services, job).id)] == [
        f"{only(services, job).id} retried (attempt 1: 500)",
        f"{only(services, job).id} delivered (attempt 2: 204)",
    ]
    assert "hooks" not in caplog.text
    assert str(receiver.port) not in "\n".join(lines)


def test_an_attempt_is_part_of_the_jobs_trace(services: Services) -> None:
    with Receiver() as receiver, recorded() as spans:
        with tracing.span("request", {}):
            job = with_webhook(services, receiver.url)
        control.cancel(services, tenant="acme", job_id=job.id)
        deliver(services)
    attempt = spans.one("deliver webhook")
    assert is_child(attempt, spans.one("request"))
    assert (attempt.attributes or {})["proofhouse.job_id"] == job.id
