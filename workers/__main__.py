"""`python -m workers`: one RQ worker and one sweeper, started again when they end, until SIGTERM or SIGINT.

The two are processes of their own: the worker forks, which a process with threads must not, and RQ's worker ends when
Redis goes away at the wrong moment.
"""

import sys
import tempfile

from service.errors import ProofhouseError
from service.logs import configure
from service.processes import Supervisor, end_with_parent, python
from service.settings import Settings, log_options
from service.store.vault import Vault

STOP_SECONDS = 25
"""Longer than a horse may take to finish what it has under way, shorter than Kubernetes' default grace of 30 s."""


def main() -> None:
    """Run one worker."""
    end_with_parent()
    try:
        configure(*log_options())
        settings = Settings.from_env()
        Vault(settings.secret_keys)
    except ProofhouseError as error:
        sys.exit(str(error))
    with tempfile.TemporaryDirectory(prefix="proofhouse-metrics-") as folder:
        shared = {"PROMETHEUS_MULTIPROC_DIR": settings.metrics_dir or folder}
        name = settings.worker_name
        supervisor = Supervisor()
        supervisor.add(
            "sweeper",
            *python("workers.sweep"),
            environment=shared | {"PROOFHOUSE_METRICS_SLOT": f"{name}-sweeper"},
            stop_seconds=5,
        )
        supervisor.add(
            "worker",
            *python("workers.worker"),
            environment=shared | {"PROOFHOUSE_METRICS_SLOT": name},
            stop_seconds=STOP_SECONDS,
        )
        supervisor.run()
        supervisor.stop()


if __name__ == "__main__":
    main()
