from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import select

from service.domain.jobs import Job, StatusReason, Suite, SuiteStatus
from service.domain.lifecycle import JobStatus
from service.domain.specs import JobSpec, SuiteSpec
from service.errors import ConflictError, InvalidError, NotFoundError
from service.generators.base import generators
from service.pipeline.once import IdempotencyKey
from service.pipeline.plan import plan
from service.pipeline.services import Services
from service.pipeline.submit import submit, submit_suite
from service.store import cases as suite_cases
from service.store import jobs, making, waking
from service.store.tables import JobRow, SuiteRow
from service.targets.base import targets
from tests.support.running import now, run, wind_back
from tests.support.specs import cases, job_spec, plugin
from tests.support.together import together

TENANT = "acme"
ONCE = IdempotencyKey("key-1", "digest of the request")


def overdue(services: Services) -> list[str]:
    with services.store.read() as session:
        return [job_id for job_id, _ in waking.overdue(session, JobRow, 100)]


def listed(services: Services, tenant: str = TENANT) -> list[Job]:
    with services.store.read() as session:
        return jobs.page(session, tenant, jobs.JobFilter(), after=None, limit=100)


def on_suite(suite_id: str) -> JobSpec:
    return replace(job_spec(1), suite=SuiteSpec(suite_id=suite_id))


def test_a_submitted_job_is_queued_and_so_is_its_first_task(services: Services) -> None:
    job = submit(services, job_spec(3), tenant=TENANT)
    assert job.status is JobStatus.QUEUED
    assert services.queue.waiting() == [f"{job.id}-plan"]


def test_without_redis_a_job_is_accepted_all_the_same(without_redis: Services) -> None:
    assert submit(without_redis, job_spec(3), tenant=TENANT).status is JobStatus.QUEUED


def test_a_job_accepted_without_redis_is_due_for_the_sweeper(without_redis: Services, services: Services) -> None:
    job = submit(without_redis, job_spec(3), tenant=TENANT)
    wind_back(services)
    assert overdue(services) == [job.id]


def test_a_job_just_submitted_is_not_yet_due(services: Services) -> None:
    submit(services, job_spec(3), tenant=TENANT)
    assert overdue(services) == []


def test_cases_given_with_the_job_are_stored_as_they_are(services: Services) -> None:
    job = submit(services, job_spec(5), tenant=TENANT)
    with services.store.read() as session:
        assert suite_cases.read(session, job.suite.id, 0, 10) == list(cases(5))
    assert job.suite.size == 5
    assert job.suite.generator is None


def test_a_generated_suite_has_its_size_before_it_has_its_cases(services: Services) -> None:
    generator = plugin(generators, "matrix", limit=7)
    job = submit(services, replace(job_spec(1), suite=SuiteSpec(generator=generator)), tenant=TENANT)
    assert job.suite.size == 7
    assert job.suite.status is SuiteStatus.GENERATING


def test_a_job_may_use_the_suite_of_an_earlier_one(services: Services) -> None:
    first = submit(services, job_spec(5), tenant=TENANT)
    plan(services, first.id)
    second = submit(services, on_suite(first.suite.id), tenant=TENANT)
    assert second.suite == now(services, first).suite


def test_a_job_on_a_suite_that_is_still_being_made_runs_once_it_is(services: Services) -> None:
    first = submit(services, job_spec(5), tenant=TENANT)
    second = submit(services, on_suite(first.suite.id), tenant=TENANT)
    run(services, first)
    assert f"{second.id}-plan" in services.queue.waiting()
    assert run(services, second).status is JobStatus.COMPLETED


def test_a_suite_that_could_not_be_made_is_a_conflict(services: Services) -> None:
    first = submit(services, job_spec(5), tenant=TENANT)
    with services.store.write() as session:
        making.fail(session, first.suite.id, StatusReason("generation_failed", "It broke off."))
    with pytest.raises(ConflictError, match="could not be made") as raised:
        submit(services, on_suite(first.suite.id), tenant=TENANT)
    assert raised.value.code == "suite_failed"


def test_the_suite_of_another_tenant_looks_as_if_it_did_not_exist(services: Services) -> None:
    theirs = submit(services, job_spec(5), tenant="globex")
    plan(services, theirs.id)
    told = []
    for suite_id in (theirs.suite.id, "suite_unheard_of"):
        with pytest.raises(NotFoundError) as raised:
            submit(services, on_suite(suite_id), tenant=TENANT)
        told.append(str(raised.value).replace(suite_id, "X"))
    assert told == ["There is no suite X."] * 2


def test_what_is_refused_leaves_no_job_and_no_task(services: Services) -> None:
    with pytest.raises(NotFoundError):
        submit(services, on_suite("suite_unheard_of"), tenant=TENANT, once=ONCE)
    assert listed(services) == []
    assert services.queue.waiting() == []


def test_what_was_refused_has_not_used_up_its_key(services: Services) -> None:
    with pytest.raises(NotFoundError):
        submit(services, on_suite("suite_unheard_of"), tenant=TENANT, once=ONCE)
    assert submit(services, job_spec(1), tenant=TENANT, once=ONCE)


def test_the_same_request_with_the_same_key_gives_the_job_made_before(services: Services) -> None:
    first = submit(services, job_spec(2), tenant=TENANT, once=ONCE)
    assert submit(services, job_spec(2), tenant=TENANT, once=ONCE).id == first.id
    assert len(listed(services)) == 1


def test_another_request_with_the_same_key_is_refused(services: Services) -> None:
    submit(services, job_spec(2), tenant=TENANT, once=ONCE)
    with pytest.raises(InvalidError, match="was used for another request") as raised:
        submit(services, job_spec(3), tenant=TENANT, once=replace(ONCE, request_digest="another"))
    assert raised.value.code == "idempotency_key_reused"


def test_another_tenants_key_is_another_key(services: Services) -> None:
    mine = submit(services, job_spec(2), tenant=TENANT, once=ONCE)
    theirs = submit(services, job_spec(3), tenant="globex", once=replace(ONCE, request_digest="another"))
    assert mine.id != theirs.id


@pytest.mark.parametrize("attempt", range(5))
def test_the_same_request_sent_twice_at_once_makes_one_job(services: Services, attempt: int) -> None:
    def send() -> Job:
        return submit(services, job_spec(2), tenant=TENANT, once=ONCE)

    answers = together(send, send, send)
    assert len({job.id for job in answers}) == len(listed(services)) == 1


@pytest.mark.parametrize(
    "spec",
    [SuiteSpec(cases=cases(2)), SuiteSpec(generator=plugin(generators, "matrix", limit=2))],
    ids=["given", "generated"],
)
def test_the_same_suite_sent_twice_at_once_is_made_once(services: Services, spec: SuiteSpec) -> None:
    def send() -> Suite:
        return submit_suite(services, spec, None, tenant=TENANT, once=ONCE)

    answers = together(send, send, send)
    with services.store.read() as session:
        stored = session.scalars(select(SuiteRow.id)).all()
    assert {suite.id for suite in answers} == set(stored)
    assert len(stored) == 1


def test_different_requests_with_one_key_at_once_make_one_job(services: Services) -> None:
    def send(size: int) -> Callable[[], int]:
        def work() -> int:
            try:
                submit(services, job_spec(size), tenant=TENANT, once=IdempotencyKey("key-1", str(size)))
            except InvalidError:
                return 0
            return 1

        return work

    assert sum(together(send(1), send(2))) == len(listed(services)) == 1


def test_secrets_are_sealed_and_not_among_the_options(services: Services) -> None:
    secret = "sk-0123456789"
    target = plugin(targets, "openai", base_url="http://127.0.0.1:9/v1", model="m", api_key=secret)
    job = submit(services, job_spec(1, target=target), tenant=TENANT)
    with services.store.read() as session:
        sealed = jobs.sealed_secrets(session, job.id)
    assert "api_key" not in job.target.options
    assert services.vault.open(sealed) == {"target": {"api_key": secret}, "judge": {}}
