"""Every end of a job leaves one delivery, in the transaction that ends it, and one task that sends what is due."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text as sql

from service import failpoints
from service.domain.deliveries import MAX_ATTEMPTS, Answer, DeliveryError, DeliveryState
from service.domain.jobs import Job, StatusReason
from service.domain.lifecycle import JobStatus
from service.errors import ConflictError, NotFoundError
from service.failpoints import FailpointError
from service.pipeline import control
from service.pipeline.deliver import deliver
from service.pipeline.finish import complete, fail
from service.pipeline.notify import TASK, queue_deliveries, redeliver
from service.pipeline.plan import plan
from service.pipeline.services import Services
from service.pipeline.submit import submit
from service.pipeline.sweep import sweep
from tests.support.databases import rows
from tests.support.hooks import ended, told, with_webhook
from tests.support.running import now, run
from tests.support.specs import job_spec, scripted
from tests.support.together import together

TENANT = "acme"
URL = "http://127.0.0.1:9/hooks"
REASON = StatusReason("of_a_test", "For the sake of the test.")
ENDS: dict[str, Callable[[Services, Job], object]] = {
    "job.completed": run,
    "job.failed": lambda services, job: fail(services, job, REASON),
    "job.cancelled": lambda services, job: control.cancel(services, tenant=TENANT, job_id=job.id),
}


def sending(services: Services) -> list[str]:
    """The tasks that wait to send webhooks."""
    return [task_id for task_id in services.queue.waiting() if task_id.startswith(TASK)]


@pytest.mark.parametrize("event", ENDS)
def test_each_end_is_to_be_told_and_a_task_for_it_waits(services: Services, event: str) -> None:
    job = with_webhook(services, URL)
    ENDS[event](services, job)
    (delivery,) = told(services, job)
    assert (delivery.type, delivery.state, delivery.attempts) == (event, DeliveryState.WAITING, 0)
    assert sending(services) == [f"{TASK}-{delivery.id}-1"]


@pytest.mark.parametrize("event", ENDS)
def test_nothing_is_to_be_told_of_a_job_without_a_webhook(services: Services, event: str) -> None:
    ENDS[event](services, submit(services, job_spec(3), tenant=TENANT))
    assert "deliveries" not in rows(services)
    assert sending(services) == []


def test_what_is_told_is_the_job_as_it_was_at_its_end(services: Services) -> None:
    job = with_webhook(services, URL, target=scripted({"text": "yes"}, {"error": "server_error"}, {"text": "yes"}))
    run(services, job)
    control.retry(services, tenant=TENANT, job_id=job.id)
    with services.store.read() as session:
        (body,) = session.scalars(sql("SELECT body FROM deliveries")).all()
    assert '"status": "completed"' in body
    assert '"done": 3' in body
    assert '"errors": 1' in body


def test_an_end_that_is_rolled_back_is_not_told(services: Services) -> None:
    job = with_webhook(services, URL)
    plan(services, job.id)
    with services.store.write() as session:
        session.execute(sql("UPDATE batches SET status = 'done'"))
    failpoints.arm("completing=raise")
    with pytest.raises(FailpointError):
        complete(services, job)
    failpoints.arm("")
    assert now(services, job).status is JobStatus.RUNNING
    assert told(services, job) == []


def test_of_several_ends_at_once_one_is_told(services: Services) -> None:
    job = with_webhook(services, URL)
    together(*[lambda: fail(services, job, REASON), lambda: _cancel(services, job)] * 2)
    assert len(told(services, job)) == 1


def _cancel(services: Services, job: Job) -> bool:
    try:
        control.cancel(services, tenant=TENANT, job_id=job.id)
    except ConflictError:
        return False
    return True


def test_a_job_that_is_retried_and_ends_again_is_told_again(services: Services) -> None:
    job = with_webhook(services, URL, target=scripted({"text": "yes"}, {"error": "server_error"}, {"text": "yes"}))
    run(services, job)
    control.retry(services, tenant=TENANT, job_id=job.id)
    run(services, job)
    first, second = told(services, job)
    assert first.id != second.id
    assert [first.type, second.type] == ["job.completed"] * 2


def test_pausing_is_no_end(services: Services) -> None:
    job = with_webhook(services, URL)
    control.pause(services, tenant=TENANT, job_id=job.id)
    assert told(services, job) == []


def test_what_an_end_could_not_queue_the_sweeper_does_once(services: Services, without_redis: Services) -> None:
    job = with_webhook(services, URL)
    control.cancel(without_redis, tenant=TENANT, job_id=job.id)
    assert sending(services) == []
    assert [sweep(services), sweep(services)] == [1, 0]
    assert len(sending(services)) == 1


def test_one_task_waits_however_many_deliveries_are_due(services: Services) -> None:
    for _ in range(3):
        ended(services, URL)
    assert not queue_deliveries(services)
    assert len(sending(services)) == 1


def test_deleting_a_job_takes_back_what_is_still_to_be_told(services: Services) -> None:
    job = ended(services, URL)
    control.delete(services, tenant=TENANT, job_id=job.id)
    assert rows(services) == {}
    services.redis.delete(f"rq:queue:{services.queue.name}")
    assert sweep(services) == 0


def test_the_secret_and_the_query_are_stored_encrypted(services: Services) -> None:
    job = with_webhook(services, f"{URL}?token=sesame")
    assert job.webhook == URL
    with services.store.read() as session:
        (sealed,) = session.scalars(sql("SELECT secrets FROM jobs")).all()
    assert b"sesame" not in bytes(sealed)
    assert services.vault.open(bytes(sealed))["webhook"]["url"] == f"{URL}?token=sesame"


def test_redelivering_needs_something_to_deliver(services: Services) -> None:
    unended, without = with_webhook(services, URL), submit(services, job_spec(1), tenant=TENANT)
    for job, why in ((unended, "is queued"), (without, "was given no webhook")):
        with pytest.raises(ConflictError, match=why) as refused:
            redeliver(services, tenant=TENANT, job_id=job.id)
        assert refused.value.code == "nothing_to_deliver"
    with pytest.raises(NotFoundError):
        redeliver(services, tenant="globex", job_id=unended.id)


def test_redelivering_twice_is_as_good_as_once(services: Services) -> None:
    job = ended(services, URL)
    for _ in range(2):
        redeliver(services, tenant=TENANT, job_id=job.id)
    assert len(told(services, job)) == len(sending(services)) == 1


def test_redelivering_during_the_last_attempt_has_it_sent_again_if_that_fails(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = ended(services, URL)
    with services.store.write() as session:
        session.execute(sql("UPDATE deliveries SET attempts = :before"), {"before": MAX_ATTEMPTS - 1})

    async def refuse(*_: Any) -> Answer:
        await asyncio.to_thread(redeliver, services, tenant=TENANT, job_id=job.id)
        return Answer(status=500, error=DeliveryError.STATUS)

    monkeypatch.setattr("service.pipeline.deliver.post", refuse)
    deliver(services)
    (delivery,) = told(services, job)
    assert (delivery.state, delivery.attempts) == (DeliveryState.WAITING, 1)
