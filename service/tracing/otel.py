"""Spans by OpenTelemetry's SDK, sent over OTLP with HTTP. Needs the extra `otel`."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from service.tracing import Attributes, Kind, Span, Tracer

STOP_SECONDS = 1.0
"""For a collector to take the last spans. One that is away costs each task of a worker as much, and no more."""

_propagator = TraceContextTextMapPropagator()


class RecordedSpan(Span):
    """A span of OpenTelemetry's."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span
        self._failed = False

    def note(self, attributes: Attributes) -> None:
        """Add attributes."""
        self._span.set_attributes(attributes)

    def rename(self, name: str) -> None:
        """Change its name."""
        self._span.update_name(name)

    def fail(self, kind: str) -> None:
        """Mark it as failed. The first kind told stands: it is the most exact."""
        if not self._failed:
            self._failed = True
            self._span.set_attribute("error.type", kind)
            self._span.set_status(trace.StatusCode.ERROR)


class Recording(Tracer):
    """Records every span with a provider, whose sampler decides which are kept."""

    is_on = True

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("proofhouse", version("proofhouse"))

    @contextmanager
    def span(self, name: str, attributes: Attributes, kind: Kind, parent: str | None) -> Iterator[Span]:
        """A span for as long as the block lasts. What an error says is not recorded."""
        with self._tracer.start_as_current_span(
            name,
            _propagator.extract({"traceparent": parent}, trace.set_span_in_context(trace.INVALID_SPAN))
            if parent
            else None,
            trace.SpanKind[kind.value],
            attributes,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            recorded = RecordedSpan(span)
            try:
                yield recorded
            except BaseException as error:
                recorded.fail(type(error).__name__)
                raise

    def traceparent(self) -> str | None:
        """The current span; None outside of any."""
        carrier: dict[str, str] = {}
        _propagator.inject(carrier)
        return carrier.get("traceparent")

    def trace_id(self) -> str | None:
        """The current trace; None outside of any."""
        context = trace.get_current_span().get_span_context()
        return trace.format_trace_id(context.trace_id) if context.is_valid else None

    def stop(self) -> None:
        """Send what is held. In a thread that need not end: the exporter would wait for its collector much longer."""
        sending = threading.Thread(target=self._provider.shutdown, daemon=True)
        sending.start()
        sending.join(STOP_SECONDS)


def exporter() -> OTLPSpanExporter:
    """What sends spans. It connects with the first; making it loads an HTTP client."""
    return OTLPSpanExporter()


def exporting(process: str) -> Recording:
    """Spans go where OTEL_EXPORTER_OTLP_* says, as many as OTEL_TRACES_SAMPLER says."""
    ours = Resource({SERVICE_NAME: f"proofhouse-{process}", SERVICE_VERSION: version("proofhouse")})
    resource = Resource.create().merge(ours).merge(OTELResourceDetector().detect())
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter()))
    return Recording(provider)
