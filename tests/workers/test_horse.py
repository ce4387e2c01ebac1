"""A SIGTERM reaches the horse at whatever moment of its birth it comes."""

import os
import signal
import time
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from rq.serializers import JSONSerializer

from service.pipeline.services import Services
from service.settings import Settings
from workers.stopping import stopping
from workers.worker import ProofhouseWorker

pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")

HEARD, NOT_HEARD = 10, 11


class Forking(ProofhouseWorker):
    """Its horses tell by their exit status whether they heard that they should stop."""

    before_it_listens: Callable[[], None] = staticmethod(lambda: None)

    def main_work_horse(self, *_: object) -> None:
        try:
            self.before_it_listens()
            self.setup_work_horse_signals()
            deadline = time.monotonic() + 5
            while not stopping() and time.monotonic() < deadline:
                time.sleep(0.01)
            os._exit(HEARD if stopping() else NOT_HEARD)
        finally:
            os._exit(1)


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The database makes no difference here."""
    return sqlite_url


@pytest.fixture
def worker(services: Services, settings: Settings) -> Forking:
    return Forking([settings.queue], connection=services.redis, serializer=JSONSerializer)


def status_of_a_horse(worker: Forking) -> int:
    worker.fork_work_horse(SimpleNamespace(id="task"), None)
    return os.waitstatus_to_exitcode(os.waitpid(worker.horse_pid, 0)[1])


def test_told_before_it_listens_a_horse_hears_it_when_it_does(worker: Forking) -> None:
    worker.before_it_listens = lambda: os.kill(os.getpid(), signal.SIGTERM)
    assert status_of_a_horse(worker) == HEARD


def test_a_worker_told_just_before_it_forks_tells_its_horse(worker: Forking) -> None:
    worker._stop_requested = True
    assert status_of_a_horse(worker) == HEARD


def test_a_worker_that_has_forked_can_be_told_to_stop(worker: Forking) -> None:
    worker._stop_requested = True
    status_of_a_horse(worker)
    assert signal.SIGTERM not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
