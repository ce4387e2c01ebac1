"""What becomes of secrets while the encryption key is changed, some processes having one key and some another."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest
from cryptography.fernet import Fernet

from service.domain.jobs import Job, SuiteStatus
from service.domain.lifecycle import JobStatus
from service.domain.specs import JobSpec, PluginSpec, SuiteSpec
from service.generators.base import generators
from service.pipeline import control
from service.pipeline.plan import make_suite, plan
from service.pipeline.services import Services
from service.pipeline.submit import submit, submit_suite
from service.pipeline.sweep import sweep
from service.settings import Settings
from service.store import suites
from service.store.reseal import reseal_all
from service.targets.base import targets
from tests.support.plugged import Counting, plugged
from tests.support.running import now, run, wind_back
from tests.support.specs import job_spec, plugin

TENANT = "acme"
OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()
With = Callable[..., Services]


@pytest.fixture
def having(settings: Settings) -> Iterator[With]:
    """Services of a process that was started with those keys."""
    with ExitStack() as stack:

        def having(*keys: str) -> Services:
            services = Services.from_settings(replace(settings, secret_keys=keys))
            stack.callback(services.close)
            return services

        yield having


def with_a_key() -> JobSpec:
    """A job of one case, whose target has a key, and is not there."""
    target = plugin(targets, "openai", base_url="http://127.0.0.1:9/v1", model="m", api_key="sk-1", max_attempts=1)
    return job_spec(1, target=target)


def reason_of(job: Job) -> str | None:
    return job.status_reason.code if job.status_reason else None


def test_a_job_whose_secrets_a_worker_can_not_read_is_paused_and_goes_on_where_they_can_be_read(
    having: With,
) -> None:
    ahead, behind = having(NEW, OLD), having(OLD)
    job = run(behind, submit(ahead, with_a_key(), tenant=TENANT))
    assert (job.status, reason_of(job)) == (JobStatus.PAUSED, "secrets_unreadable")
    assert job.status_reason
    assert "PROOFHOUSE_SECRET_KEY" in job.status_reason.message
    assert "resume" in job.status_reason.message
    control.resume(ahead, tenant=TENANT, job_id=job.id)
    assert run(ahead, job).status is JobStatus.COMPLETED


GENERATOR = PluginSpec("of_a_test", {"size": 3}, {"api_key": "canary"})


def test_a_job_whose_suite_a_worker_can_not_make_for_want_of_the_key_is_paused_too(having: With) -> None:
    ahead, behind = having(NEW, OLD), having(OLD)
    with plugged(generators, Counting):
        job = submit(ahead, replace(job_spec(), suite=SuiteSpec(generator=GENERATOR)), tenant=TENANT)
        for _ in range(5):  # more often than a making may fail
            plan(behind, job.id)
            assert reason_of(now(ahead, job)) == "secrets_unreadable"
            control.resume(ahead, tenant=TENANT, job_id=job.id)
        assert run(ahead, job).status is JobStatus.COMPLETED


def test_a_suite_that_a_worker_can_not_make_for_want_of_the_key_is_left_to_another(having: With) -> None:
    ahead, behind = having(NEW, OLD), having(OLD)
    with plugged(generators, Counting):
        suite = submit_suite(ahead, SuiteSpec(generator=GENERATOR), None, tenant=TENANT)
        for _ in range(5):
            make_suite(behind, suite.id)
        wind_back(ahead)
        assert sweep(ahead) == 1
        make_suite(ahead, suite.id)
    with ahead.store.read() as session:
        assert suites.get(session, TENANT, suite.id).status is SuiteStatus.READY


STEPS = [(OLD,), (OLD, NEW), (NEW, OLD), (NEW,)]
"""The setting before a rotation, and in each of its steps."""


@pytest.mark.parametrize("step", [1, 2, 3])
def test_in_every_step_of_a_rotation_processes_not_yet_restarted_read_what_the_others_seal(
    having: With, step: int
) -> None:
    left, right = having(*STEPS[step - 1]), having(*STEPS[step])
    if step == 3:  # what `proofhouse secrets rotate` does at the end of the second
        reseal_all(left.store, left.vault)
    for api, worker in ((left, right), (right, left)):
        assert run(worker, submit(api, with_a_key(), tenant=TENANT)).status is JobStatus.COMPLETED


def test_what_was_sealed_before_a_rotation_is_read_after_it(having: With) -> None:
    job = submit(having(OLD), with_a_key(), tenant=TENANT)
    second = having(NEW, OLD)
    assert reseal_all(second.store, second.vault) == 1
    assert run(having(NEW), job).status is JobStatus.COMPLETED
