"""The sweeper beside each worker: queues again what fell through, and serves the worker's metrics.

Run as `python -m workers.sweep`. Any number may run at once.
"""

import logging
import signal
import threading
from datetime import UTC, datetime, timedelta

from prometheus_client import start_http_server

from service import metrics
from service.logs import configure
from service.pipeline.services import Services
from service.pipeline.sweep import sweep
from service.processes import end_with_parent
from service.settings import Settings, log_options
from service.store import idempotency, suites

SWEEP_SECONDS = 5

logger = logging.getLogger(__name__)


def sweep_once(services: Services) -> None:
    """One round. A failure (database or Redis away) is logged; the next round tries again."""
    try:
        sweep(services)
        with services.store.write() as session:
            idempotency.forget_old(session)
            suites.delete_abandoned(session, datetime.now(UTC) - timedelta(days=1))
    except Exception:
        logger.exception("the sweep failed; trying again in %d s", SWEEP_SECONDS)


def main() -> None:
    """Sweep until told to stop."""
    end_with_parent()
    configure(*log_options())
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    settings = Settings.from_env()
    if settings.worker_metrics_port:
        start_http_server(settings.worker_metrics_port, registry=metrics.collected())
    services = Services.from_settings(settings)
    while not stop.wait(SWEEP_SECONDS):
        sweep_once(services)
    services.close()


if __name__ == "__main__":
    main()
