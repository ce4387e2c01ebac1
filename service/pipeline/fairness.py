"""Making room for other jobs: how long calls under way may then still take, and when their loss is too much."""

from redis.exceptions import RedisError

from service.domain.jobs import Job, StatusReason, Suite
from service.domain.specs import PluginSpec
from service.domain.tallies import total
from service.pipeline.services import Services
from service.store import jobs, making, tallies
from service.store.patience import patient

SLICE_SECONDS = 5
"""How long a worker stays with a job while other jobs wait."""
LEAST_SECONDS, MOST_SECONDS = 10, 60
"""What a call may have to end, whatever its timeout, while other jobs wait: as others pay for it, a minute at most."""
SPARE_TURNS = 2
"""So many times all that a job may have under way can be lost before that is held against its results."""


def grace(*plugins: PluginSpec) -> float:
    """Seconds that what is under way may take to end while other jobs wait: one attempt at each plug-in's model."""
    attempts: float = sum(plugin.options.get("timeout_seconds", 0) for plugin in plugins)
    return min(MOST_SECONDS, max(LEAST_SECONDS, attempts))


@patient
def too_many_cut_off(services: Services, job: Job, at_once: int) -> StatusReason | None:
    """A reason to pause the job once too many of its cases were cut off to make room.

    What is cut off is asked again and paid for again, and a job whose calls never end in time would do nothing else.
    So no more may be lost than has been stored, beside a few turns' worth. `at_once`: cases that may be under way.
    """
    with services.store.read() as session:
        lost = jobs.count_cut_off(session, job.id)
        done = total(tallies.read(session, job.id)).done
    if lost <= done + SPARE_TURNS * at_once:
        return None
    return StatusReason(
        "calls_too_slow",
        f"While other jobs waited, {lost:,} cases took so long that they were cut off, and {done:,} have a result. So "
        "that no more is paid for in vain, nothing is sent. Shorten the answers, lower max_concurrency if it is more "
        "than the model can bear, or wait until fewer jobs run or there are more workers; then resume.",
    )


def takes_last_worker(services: Services, suite: Suite) -> bool:
    """Whether a model that wrote the suite would leave no worker for jobs.

    A worker stays with such a suite for as long as the model writes: what another would have to find out anew, such as
    which prompts the model refuses to write, is paid for. So all workers but one may be taken by them; where there is
    only one, that one. Two who claim in the same moment may both be turned away, and try again.
    """
    if not (suite.generator and suite.generator.options.get("max_concurrency")):
        return False
    try:
        workers = len(services.queue.workers())
    except RedisError:
        return False
    return workers > 0 and _others_made(services, suite) >= max(1, workers - 1)


@patient
def _others_made(services: Services, suite: Suite) -> int:
    with services.store.read() as session:
        return making.count_others(session, suite.id)
