"""From a log record to its line, by structlog: whoever logged it, ours or a library."""

import sys
from logging import Formatter

from structlog.contextvars import merge_contextvars
from structlog.dev import ConsoleRenderer, plain_traceback
from structlog.processors import JSONRenderer, TimeStamper
from structlog.stdlib import ExtraAdder, ProcessorFormatter, add_log_level, add_logger_name
from structlog.typing import EventDict, Processor

from service.logs.errors import told

FIRST = ("timestamp", "level", "event", "logger")
FIELDS = ("job_id", "suite_id", "tenant", "method", "route", "status", "duration_ms")
"""What a line may be given beside its text and its context. Nothing else: a library may add what it likes."""


def formatter(*, as_json: bool, with_words: bool) -> Formatter:
    """Lines in JSON or for people; `with_words`: tracebacks have what the errors say."""
    render: Processor = JSONRenderer()
    if not as_json:
        render = ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain_traceback)

    def tell_error(_logger: object, _method: str, event: EventDict) -> EventDict:
        _, error, _ = event.pop("exc_info", None) or (None, None, None)
        return event if error is None else {**event, "exception": told(error, with_words=with_words)}

    return ProcessorFormatter(
        foreign_pre_chain=[
            merge_contextvars,
            ExtraAdder(FIELDS),
            add_log_level,
            add_logger_name,
            TimeStamper(fmt="iso", utc=True),
            tell_error,
        ],
        processors=[ProcessorFormatter.remove_processors_meta, _in_order, render],
    )


def _in_order(_logger: object, _method: str, event: EventDict) -> EventDict:
    """What every line has comes first, the rest by name: what is bound to a context comes in any order."""
    return {name: event.pop(name) for name in FIRST} | dict(sorted(event.items()))
