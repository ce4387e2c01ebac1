"""A worker killed at every named place while it has a job judged again: nothing lost or doubled, no call to the target.

As in test_failpoints.py, leases are wound back after each death, the sweeper runs, and another worker takes its turn.
"""

import random
import signal

import pytest

from service.domain.jobs import Job
from service.domain.lifecycle import JobStatus
from service.judges.base import judges
from service.pipeline.rejudge import judge_again
from service.pipeline.services import Services
from service.pipeline.submit import submit
from service.pipeline.sweep import sweep
from service.settings import Settings
from service.store import tallies
from service.targets.base import targets
from tests.support.lives import live_through
from tests.support.mock_openai import MockOpenAI, text
from tests.support.running import assert_one_result_a_run, counts, now, run, wind_back
from tests.support.specs import job_spec, plugin
from tests.support.thorough import times

CASES = 72
CONCURRENCY = 6
SEEDS = times(1, thorough=3)
"""On each of the two databases."""
MOST_HITS = {"planning": 1, "planned": 1, "completing": 1, "completed": 1, "claimed": 3, "writing": 3, "written": 3}
"""How often a place is come to, at least, in an undisturbed run; other places: once a case."""
VERDICT = text('{"verdict": "unsafe", "reason": "It does as asked.", "severity": 70}')


def answered(services: Services, server: MockOpenAI) -> Job:
    """A completed job, all of whose cases have an answer."""
    target = plugin(targets, "openai", base_url=server.base_url, model="m", max_concurrency=32)
    return run(services, submit(services, job_spec(CASES, target=target), tenant="acme"))


@pytest.mark.parametrize(
    "place", ["planning", "planned", "claimed", "judge", "judged", "writing", "written", "completing", "completed"]
)
def test_killed_anywhere_a_judgement_completes_and_nothing_is_paid_for_twice_but_what_was_in_flight(
    services: Services, settings: Settings, place: str
) -> None:
    with MockOpenAI(text("It depends.")) as target, MockOpenAI(VERDICT) as server:
        job = answered(services, target)
        judge = plugin(judges, "llm", base_url=server.base_url, model="j", max_concurrency=CONCURRENCY)
        for seed in range(SEEDS):
            hits_before = len(server.hits)
            moment = random.Random(f"{place} {seed}").randint(1, MOST_HITS.get(place, CASES))
            judgement = judge_again(services, judge, tenant="acme", job_id=job.id)
            assert live_through(settings, judgement, f"{place}=kill@{moment}") == -signal.SIGKILL
            lost = len(server.hits) - hits_before - counts(services, judgement).done
            for _ in range(4):
                wind_back(services)
                if now(services, judgement).status.is_final:
                    break
                assert sweep(services) == 1
                run(services, judgement)
            judgement = now(services, judgement)
            assert judgement.status is JobStatus.COMPLETED, f"{place}@{moment}"
            assert_one_result_a_run(services, judgement)
            assert counts(services, judgement).unsafe == CASES
            # What the mock saw beyond one call a case was in flight (asked, and not yet stored) at the death.
            asked_again = len(server.hits) - hits_before - CASES
            assert lost <= asked_again <= lost + CONCURRENCY, f"{place}@{moment}"
            with services.store.read() as session:
                assert tallies.read_usage(session, judgement.id)["judge"].requests == CASES
        assert len(target.hits) == CASES


def test_several_workers_share_a_judgement_and_its_judges_limit(services: Services, settings: Settings) -> None:
    """Killed one after the other, they never had more calls under way than the judge's options allow."""
    with MockOpenAI(text("It depends.")) as target, MockOpenAI(VERDICT.after(0.02)) as server:
        job = answered(services, target)
        judge = plugin(judges, "llm", base_url=server.base_url, model="j", max_concurrency=CONCURRENCY)
        judgement = judge_again(services, judge, tenant="acme", job_id=job.id)
        for moment in (10, 20, 200):
            live_through(settings, judgement, f"judged=kill@{moment}")
            wind_back(services)
        assert server.peak <= CONCURRENCY
        assert now(services, judgement).status is JobStatus.COMPLETED
        assert_one_result_a_run(services, judgement)


def test_a_case_that_keeps_killing_workers_is_given_up_as_an_error_of_the_judge(
    services: Services, settings: Settings
) -> None:
    with MockOpenAI(text("It depends.")) as target, MockOpenAI(VERDICT.after(0.1)) as server:
        job = answered(services, target)
        judge = plugin(judges, "llm", base_url=server.base_url, model="j", max_concurrency=CONCURRENCY)
        judgement = judge_again(services, judge, tenant="acme", job_id=job.id)
        for _ in range(5):
            live_through(settings, judgement, "judge:60=kill")
            wind_back(services)
            sweep(services)
        assert len(target.hits) == CASES
    assert now(services, judgement).status is JobStatus.COMPLETED
    assert_one_result_a_run(services, judgement)
    counted = counts(services, judgement)
    assert 0 < counted.errors <= 32
    assert counted.answered == CASES
