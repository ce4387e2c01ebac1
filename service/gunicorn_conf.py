"""Gunicorn's settings, used with `gunicorn -c python:service.gunicorn_conf --bind HOST:PORT service.wsgi:app`.

One process with threads: requests wait for the database far more than they compute, and the counts at /metrics stay
in one place. More processes on one machine need a PROOFHOUSE_METRICS_SLOT each; prefer more machines.
"""

from service import tracing

workers = 1
worker_class = "service.gthread.Worker"
threads = 16
"""Requests worked on at once; those that wait for a slow client don't count."""
worker_connections = 512
"""Within the 1024 open files that processes often may have."""
sendfile = False
"""So that files too are taken by clients within a time."""
timeout = 60
graceful_timeout = 20
"""Less than what orchestrators allow a process to end (Kubernetes: 30 s)."""
keepalive = 75
"""Longer than the idle time of common load balancers (60 s), so that it is they who close a connection."""
limit_request_line = 8190
limit_request_fields = 64
limit_request_field_size = 8190
control_socket_disable = True
accesslog = None
"""The service logs each request itself, without its query."""
logger_class = "service.gunicorn_logs.Logger"


def worker_exit(_server: object, _worker: object) -> None:
    """Send the traces that are held."""
    tracing.stop()
