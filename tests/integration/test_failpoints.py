"""A worker killed at every named place, again and again, at another moment each time: the promise holds always.

The worker that dies is a process of its own. After its death the leases are wound back instead of waited for, the
sweeper runs, and another worker, in this process, takes its turn.
"""

import random
import signal

import pytest

from service.domain.lifecycle import JobStatus
from service.domain.specs import JobSpec, SuiteSpec
from service.generators.base import generators
from service.pipeline.services import Services
from service.pipeline.submit import submit
from service.pipeline.sweep import sweep
from service.settings import Settings
from service.targets.base import targets
from tests.support.lives import live_through
from tests.support.mock_openai import MockOpenAI, text
from tests.support.running import assert_one_result_a_run, counts, now, run, wind_back
from tests.support.specs import REFUSAL, job_spec, plugin
from tests.support.thorough import times

CASES = 40
CONCURRENCY = 6
SEEDS = times(1, thorough=10)
"""On each of the two databases."""
ONCE = dict.fromkeys(("filled", "planning", "planned", "completing", "completed"), 1)
MOST_HITS = {**ONCE, "claimed": 2, "writing": 2, "written": 2}
"""How often a place is come to, at least, in an undisturbed run; other places: once a case."""


def spec(server: MockOpenAI, seed: int) -> JobSpec:
    target = plugin(targets, "openai", base_url=server.base_url, model="m", max_concurrency=CONCURRENCY)
    generator = plugin(generators, "matrix", limit=CASES, seed=seed)
    return JobSpec(target=target, suite=SuiteSpec(generator=generator), judge=job_spec(1).judge)


@pytest.mark.parametrize(
    "place",
    ["filled", "planning", "planned", "claimed", "call", "called", "writing", "written", "completing", "completed"],
)
def test_killed_anywhere_a_job_completes_and_nothing_is_lost_or_doubled(
    services: Services, settings: Settings, place: str
) -> None:
    with MockOpenAI(text(REFUSAL)) as server:
        for seed in range(SEEDS):
            hits_before = len(server.hits)
            moment = random.Random(f"{place} {seed}").randint(1, MOST_HITS.get(place, CASES))
            job = submit(services, spec(server, seed), tenant="acme")
            died = live_through(settings, job, f"{place}=kill@{moment}")
            assert died in {-signal.SIGKILL, 0}, f"{place}@{moment}"
            lost = len(server.hits) - hits_before - counts(services, job).done
            for _ in range(4):
                wind_back(services)
                if now(services, job).status.is_final:
                    break
                assert sweep(services) == 1
                run(services, job)
            job = now(services, job)
            assert job.status is JobStatus.COMPLETED, f"{place}@{moment}"
            assert_one_result_a_run(services, job)
            # Only what was in flight when it died (asked, and not yet stored) has been asked again.
            # The server may count calls that were on their way to it only after the worker's death.
            asked_again = len(server.hits) - hits_before - CASES
            assert lost <= asked_again <= lost + CONCURRENCY, f"{place}@{moment}"
