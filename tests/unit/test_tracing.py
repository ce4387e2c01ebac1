"""When spans are recorded, where they go, and that nothing happens unless somebody asks for it."""

import logging
import subprocess
import sys
import time
from contextlib import suppress

import pytest

from service import tracing
from tests.support.spans import Collector, collector, recorded


@pytest.fixture(autouse=True)
def nothing_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*tracing.ENDPOINTS, "OTEL_TRACES_EXPORTER", "OTEL_SDK_DISABLED"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [
        ({}, False),
        ({"OTEL_SERVICE_NAME": "x"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c:4318/v1/traces"}, True),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, False),
        ({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_SDK_DISABLED": "true"}, False),
    ],
)
def test_traces_are_wanted_when_opentelemetrys_own_variables_say_so(environ: dict[str, str], wanted: bool) -> None:
    assert tracing.wanted(environ) is wanted


def test_unless_asked_for_nothing_is_recorded_and_nothing_loaded() -> None:
    program = (
        "import sys; from service import tracing\n"
        "tracing.load(); tracing.start('api')\n"
        "with tracing.span('x', {}) as span: span.note({}); span.rename('y'); span.fail('z')\n"
        "assert tracing.traceparent() is None; tracing.stop()\n"
        "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout == "[]\n"


def test_what_is_loaded_before_a_fork_is_all_that_is_needed_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    program = (
        "import sys, threading, concurrent.futures.thread; from service import tracing\n"
        "tracing.load(); before = set(sys.modules)\n"
        "assert threading.active_count() == 1\n"
        "tracing.start('worker'); print(sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout == "[]\n"


def test_without_the_extra_it_is_said_and_nothing_breaks(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "otlp")
    monkeypatch.delitem(sys.modules, "service.tracing.otel", raising=False)
    monkeypatch.delattr(tracing, "otel", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    tracing._library.cache_clear()
    try:
        tracing.start("api")
        tracing.start("api")
    finally:
        tracing._library.cache_clear()
    assert not tracing.is_on()
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == [
        "no traces: opentelemetry is not installed; install proofhouse[otel]"
    ]


def test_spans_are_sent_to_the_collector_before_stop_returns(monkeypatch: pytest.MonkeyPatch) -> None:
    with collector() as server:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.url)
        tracing.start("api")
        with tracing.span("work", {}):
            parent = tracing.traceparent()
        tracing.stop()
        assert parent is not None
        assert len(parent) == 55
        assert server.paths == ["/v1/traces"]
        assert server.spans() == {"work": parent.split("-")[1]}
        assert server.services() == {"proofhouse-api"}
    assert not tracing.is_on()


@pytest.mark.parametrize("variable", ["OTEL_SERVICE_NAME=mine", "OTEL_RESOURCE_ATTRIBUTES=service.name=mine"])
def test_the_service_may_be_called_otherwise(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(*variable.split("=", 1))
    with collector() as server:
        send_one(monkeypatch, server)
        assert server.services() == {"mine"}


def test_the_sampler_is_opentelemetrys_to_choose(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_always_off")
    with collector() as server:
        send_one(monkeypatch, server)
        assert server.paths == []


def send_one(monkeypatch: pytest.MonkeyPatch, server: Collector) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.url)
    tracing.start("api")
    with tracing.span("work", {}):
        pass
    tracing.stop()


def test_a_collector_that_does_not_answer_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.tracing.otel.STOP_SECONDS", 0.1)
    with collector() as server:
        server.answering.clear()
        began = time.monotonic()
        send_one(monkeypatch, server)
        assert time.monotonic() - began < 2
        server.answering.set()


def test_what_raises_fails_under_its_first_and_most_exact_name() -> None:
    with recorded() as spans:
        with suppress(ValueError), tracing.span("named", {}) as span:
            span.fail("timeout")
            raise ValueError("canary")
        with suppress(ValueError), tracing.span("unnamed", {}):
            raise ValueError("canary")
    assert (spans.one("named").attributes or {})["error.type"] == "timeout"
    assert (spans.one("unnamed").attributes or {})["error.type"] == "ValueError"
    assert "canary" not in spans.one("unnamed").to_json()


def test_outside_of_any_span_there_is_nothing_to_go_on_with() -> None:
    with recorded():
        assert tracing.traceparent() is None
        assert tracing.trace_id() is None
