"""Settings, read once from the environment by the entry points and handed on; nothing else reads os.environ."""

import ipaddress
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from service.domain.addresses import Network
from service.domain.quotas import Quota
from service.errors import ProofhouseError

PREFIX = "PROOFHOUSE_"
MAX_QUOTA = 2**31 - 1


class SettingsError(ProofhouseError):
    """A setting is missing or can't be read; the message names it and says what to set."""

    code = "settings"
    title = "Settings"


@dataclass(frozen=True)
class Settings:
    """Everything an operator may set. The names in .env.example are these in capitals, prefixed PROOFHOUSE_."""

    database_url: str
    """SQLAlchemy URL: `sqlite:///…` or `postgresql+psycopg://…`."""
    redis_url: str
    secret_keys: tuple[str, ...]
    """Fernet keys that encrypt what jobs keep secret: the first encrypts, all decrypt (so keys can be rotated)."""
    queue: str = "proofhouse"
    """The RQ queue's name; deployments that share one Redis give each its own."""
    metrics_public: bool = True
    """Whether /metrics answers without a key."""
    worker_metrics_port: int = 9100
    """Where a worker serves its own metrics; 0 for nowhere."""
    allowed_networks: tuple[Network, ...] = ()
    """Networks beside the internet that models and the search service may be in."""
    search_url: str = "https://api.tavily.com"
    """Where generators that search the web do so: Tavily, or a server that speaks its protocol."""
    worker_name: str = "worker"
    """Tells the workers apart that share a metrics folder."""
    failpoints: str = ""
    """For tests alone: see service/failpoints.py."""
    quota: Quota = field(default_factory=Quota)
    """What a tenant may use that has no quota of its own."""
    metrics_dir: str | None = None
    """Folder of metric files that API and workers of one machine share; None: each for itself."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        """Read PROOFHOUSE_* variables.

        Raises:
            SettingsError: one that has no default is missing, or a value can't be read.
        """
        return cls(
            database_url=_required(environ, "DATABASE_URL"),
            redis_url=_required(environ, "REDIS_URL"),
            secret_keys=tuple(key for key in _required(environ, "SECRET_KEY").split(",") if key),
            queue=environ.get(PREFIX + "QUEUE", cls.queue),
            metrics_public=_boolean(environ, "METRICS_PUBLIC", default=cls.metrics_public),
            worker_metrics_port=_port(environ, "WORKER_METRICS_PORT", cls.worker_metrics_port),
            allowed_networks=_networks(environ, "ALLOWED_NETWORKS"),
            search_url=environ.get(PREFIX + "SEARCH_URL", cls.search_url),
            worker_name=environ.get(PREFIX + "WORKER_NAME", cls.worker_name),
            failpoints=environ.get(PREFIX + "FAILPOINTS", cls.failpoints),
            quota=Quota(
                requests_per_minute=_limit(environ, "QUOTA_REQUESTS_PER_MINUTE"),
                active_jobs=_limit(environ, "QUOTA_ACTIVE_JOBS"),
                cases_per_day=_limit(environ, "QUOTA_CASES_PER_DAY"),
            ),
            metrics_dir=environ.get("PROMETHEUS_MULTIPROC_DIR") or None,
        )


def data_dir(environ: Mapping[str, str] = os.environ) -> Path:
    """Where the embedded stack keeps its database, its encryption key and the first admin key."""
    return Path(environ.get(PREFIX + "DATA_DIR", ".proofhouse"))


def log_options(environ: Mapping[str, str] = os.environ) -> tuple[str, str]:
    """Format and level of the log: apart from the rest, for whoever logs before there are settings.

    Raises:
        SettingsError: a value is none of those that there are.
    """
    shape = _choice(environ, "LOG_FORMAT", "auto", ("auto", "json", "console"))
    return shape, _choice(environ, "LOG_LEVEL", "info", ("debug", "info", "warning", "error"))


def _required(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(PREFIX + name, "")
    if not value:
        raise SettingsError(f"{PREFIX}{name} is not set. See .env.example, or run `proofhouse up`, which sets it.")
    return value


def _boolean(environ: Mapping[str, str], name: str, *, default: bool) -> bool:
    value = environ.get(PREFIX + name, str(default)).lower()
    if value not in {"true", "false"}:
        raise SettingsError(f"{PREFIX}{name} must be true or false, not {value!r}.")
    return value == "true"


def _choice(environ: Mapping[str, str], name: str, default: str, choices: Sequence[str]) -> str:
    value = environ.get(PREFIX + name, default)
    if value not in choices:
        raise SettingsError(f"{PREFIX}{name} must be one of {', '.join(choices)}, not {value!r}.")
    return value


def _networks(environ: Mapping[str, str], name: str) -> tuple[Network, ...]:
    given = [each.strip() for each in environ.get(PREFIX + name, "").split(",")]
    try:
        return tuple(ipaddress.ip_network(each) for each in given if each)
    except ValueError as error:
        message = f"{PREFIX}{name} must be networks such as 10.1.0.0/16,::1, separated by commas: {error}."
        raise SettingsError(message) from None


def _limit(environ: Mapping[str, str], name: str) -> int | None:
    value = environ.get(PREFIX + name, "")
    if value and not (value.isdecimal() and 1 <= int(value) <= MAX_QUOTA):
        raise SettingsError(f"{PREFIX}{name} must be from 1 to {MAX_QUOTA}, or empty for no limit, not {value!r}.")
    return int(value) if value else None


def _port(environ: Mapping[str, str], name: str, default: int) -> int:
    value = environ.get(PREFIX + name, str(default))
    if not value.isdecimal() or int(value) > 65535:  # noqa: PLR2004 - the highest TCP port
        raise SettingsError(f"{PREFIX}{name} must be a port from 0 to 65535, not {value!r}.")
    return int(value)
