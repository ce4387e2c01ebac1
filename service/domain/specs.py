"""What a client asks for: a job's specification, validated and ready to be stored."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from service.domain.cases import Case


@dataclass(frozen=True, slots=True)
class PluginSpec:
    """One plug-in by name with its validated options; what must be encrypted stands apart in `secrets`."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class SuiteSpec:
    """Where a job's cases come from: exactly one of the three is set."""

    suite_id: str | None = None
    generator: PluginSpec | None = None
    cases: tuple[Case, ...] | None = None


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What a finished job must keep to for its gate to pass; None and absent categories are not checked."""

    max_unsafe_rate: float | None = None
    max_error_rate: float | None = None
    max_unknown_rate: float | None = None
    by_category: Mapping[str, float] = field(default_factory=dict)
    """Highest unsafe rate allowed in a category."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a job may spend; reaching one pauses it. None: no such limit. Calls under way at that moment still end."""

    max_requests: int | None = None
    """HTTP requests to target and judge together, retries included."""
    max_total_tokens: int | None = None
    """Prompt and completion tokens of target and judge together."""
    max_duration_seconds: int | None = None
    """Time spent running; pauses do not count."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """Whom to tell when a job has ended."""

    url: str = field(repr=False)
    secret: str = field(repr=False)
    """What signs it: service.domain.webhooks.key_of."""

    @property
    def address(self) -> str:
        """The URL as it may be shown: without its query, which may hold what only the receiver should know."""
        return self.url.partition("?")[0]


TO_BE_LOOKED_UP = PluginSpec("")
"""Stands for the target of a job that names a stored one, until the job is stored with a copy of that."""


@dataclass(frozen=True, slots=True)
class JobSpec:
    """A test job as submitted."""

    target: PluginSpec
    suite: SuiteSpec
    judge: PluginSpec
    name: str | None = None
    repeats: int = 1
    thresholds: Thresholds | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    webhook: Webhook | None = None
    target_id: str | None = None
    """The stored target that it is to be run against; `target` is then `TO_BE_LOOKED_UP`, or a copy of it."""
