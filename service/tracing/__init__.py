"""Traces of what was done for a request, by OpenTelemetry: if its extra is installed and its variables ask for them.

Else nothing is recorded, nothing is loaded and nothing is sent. Spans carry ids, counts and kinds of errors; never a
prompt, a response, a key, or what an error says.
"""

import functools
import logging
import os
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from enum import Enum
from types import ModuleType
from typing import TypeAlias

Attributes: TypeAlias = Mapping[str, str | int | float | bool]

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")

logger = logging.getLogger(__name__)


class Kind(Enum):
    """What a span is to the others."""

    INTERNAL = "INTERNAL"
    SERVER = "SERVER"
    CLIENT = "CLIENT"
    CONSUMER = "CONSUMER"


class Span:
    """Something under way. This one is recorded by nobody."""

    def note(self, attributes: Attributes) -> None:
        """Add what is known now."""

    def rename(self, name: str) -> None:
        """Call it by a better name."""

    def fail(self, kind: str) -> None:
        """Mark it as failed; `kind` is one of few words, not what the error says."""


class Tracer:
    """Records spans. This one does not."""

    is_on = False

    def span(
        self, _name: str, _attributes: Attributes, _kind: Kind, _parent: str | None
    ) -> AbstractContextManager[Span]:
        """A span for as long as the block lasts, which fails if that raises."""
        return _NOTHING

    def traceparent(self) -> str | None:
        """The current span as the header `traceparent` would say it, for whoever goes on with the work."""
        return None

    def trace_id(self) -> str | None:
        """The current trace's id, as traces are looked up by it."""
        return None

    def stop(self) -> None:
        """Send what is still held, within seconds, and record no more."""


_NOTHING = nullcontext(Span())
_tracer = Tracer()


def span(
    name: str, attributes: Attributes, *, kind: Kind = Kind.INTERNAL, parent: str | None = None
) -> AbstractContextManager[Span]:
    """A span for as long as the block lasts; `parent` is a traceparent, in place of the current span."""
    return _tracer.span(name, attributes, kind, parent)


def is_on() -> bool:
    """Whether spans are recorded; to save the trouble of describing them."""
    return _tracer.is_on


def traceparent() -> str | None:
    """As Tracer.traceparent."""
    return _tracer.traceparent()


def trace_id() -> str | None:
    """As Tracer.trace_id."""
    return _tracer.trace_id()


def load() -> None:
    """Import all that start() needs, if it is wanted. For processes that fork others."""
    library = _library() if wanted(os.environ) else None
    if library:
        library.exporter()


def start(process: str) -> None:
    """Record this process's spans if the environment asks for it. After a fork: what sends them is a thread."""
    library = _library() if wanted(os.environ) else None
    if library:
        use(library.exporting(process))


def stop() -> None:
    """Send what is still held, within seconds, and record no more."""
    _tracer.stop()
    use(Tracer())


def use(tracer: Tracer) -> None:
    """Record spans with that tracer from now on."""
    global _tracer  # noqa: PLW0603 - a process has one
    _tracer = tracer


def wanted(environ: Mapping[str, str]) -> bool:
    """Whether OpenTelemetry's own variables ask for traces. By default they do not."""
    if environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    default = "otlp" if any(environ.get(name) for name in ENDPOINTS) else "none"
    return (environ.get("OTEL_TRACES_EXPORTER") or default) == "otlp"


@functools.cache
def _library() -> ModuleType | None:
    try:
        from service.tracing import otel  # noqa: PLC0415 - optional, and not loaded unless wanted
    except ImportError as error:
        logger.warning("no traces: %s is not installed; install proofhouse[otel]", error.name)
        return None
    return otel
