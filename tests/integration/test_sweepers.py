"""Two rescuers are not one too many: each orphaned job is queued once, however many sweepers and scrapes there are."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import text as sql

from service.pipeline.services import Services
from service.pipeline.submit import submit
from service.pipeline.sweep import sweep
from service.settings import Settings
from service.store import waking
from service.store.tables import JobRow
from tests.support.running import wind_back
from tests.support.specs import job_spec
from tests.support.thorough import times

ORPHANS = times(80, thorough=200)
SWEEPERS = 4
SCRAPERS = 4


def orphans(services: Services) -> set[str]:
    """Jobs whose tasks Redis has lost, and which have been silent for too long."""
    made = {submit(services, job_spec(1), tenant="acme").id for _ in range(ORPHANS)}
    services.redis.delete(f"rq:queue:{services.queue.name}")
    wind_back(services)
    return made


def test_orphans_are_queued_once_each_by_four_sweepers_among_scrapes(services: Services, settings: Settings) -> None:
    made = orphans(services)
    ended = threading.Event()
    with ThreadPoolExecutor(SWEEPERS + SCRAPERS) as threads:
        scrapers = [threads.submit(_with_services, settings, lambda own: _scrape(own, ended)) for _ in range(SCRAPERS)]
        sweepers = [threads.submit(_with_services, settings, _sweep_all) for _ in range(SWEEPERS)]
        woken = sum(sweeper.result() for sweeper in sweepers)
        ended.set()
        assert all(scraper.result() > 0 for scraper in scrapers)
    waiting = services.queue.waiting()
    assert woken == len(waiting) == ORPHANS
    assert set(waiting) == {f"{job_id}-plan" for job_id in made}


def test_a_job_that_can_not_be_read_does_not_keep_the_sweeper_from_those_behind_it(services: Services) -> None:
    first, second = (submit(services, job_spec(1), tenant="acme") for _ in range(2))
    services.redis.delete(f"rq:queue:{services.queue.name}")
    with services.store.write() as session:
        session.execute(sql("UPDATE jobs SET wake_at = 0, status = 'unheard of' WHERE id = :id"), {"id": first.id})
        session.execute(sql("UPDATE jobs SET wake_at = 1 WHERE id = :id"), {"id": second.id})
    sweep(services)
    assert services.queue.waiting() == [f"{second.id}-plan"]
    with services.store.read() as session:
        assert waking.overdue(session, JobRow, 10) == []


def _with_services(settings: Settings, work: Callable[[Services], int]) -> int:
    services = Services.from_settings(settings)
    try:
        return work(services)
    finally:
        services.close()


def _sweep_all(services: Services) -> int:
    """Sweep until nothing is overdue; gives how many jobs this sweeper has woken."""
    woken = 0
    while True:
        woken += sweep(services)
        with services.store.read() as session:
            if not waking.overdue(session, JobRow, 1):
                return woken


def _scrape(services: Services, ended: threading.Event) -> int:
    """What /metrics reads of the queue, again and again."""
    scrapes = 0
    while not ended.is_set():
        services.queue.depth()
        services.queue.oldest_age_seconds()
        services.queue.workers()
        scrapes += 1
    return scrapes
