"""Logging: one line an event, to standard error; never a prompt, a response or a key. See docs/logging.md."""

import logging
import sys
from functools import cached_property

OURS = ("service", "workers", "__main__")
CHATTY = ("rq", "httpx2", "openai", "alembic.runtime.migration", "alembic.runtime.plugins")


def configure(shape: str = "auto", level: str = "info") -> None:
    """Set logging up for a process of the service.

    Args:
        shape: `json`, `console`, or `auto`: console if standard error is a terminal.
        level: `debug`, `info`, `warning` or `error`. Debug is for our own lines alone: other people's libraries log
            what they send.
    """
    number = logging.getLevelNamesMapping()[level.upper()]
    handler = logging.StreamHandler()
    as_json = shape == "json" or (shape == "auto" and not sys.stderr.isatty())
    handler.setFormatter(_Late(as_json=as_json, with_words=number == logging.DEBUG))
    logging.basicConfig(level=max(number, logging.INFO), handlers=[handler])
    for name in OURS:
        logging.getLogger(name).setLevel(number)
    for name in CHATTY:
        logging.getLogger(name).setLevel(max(number, logging.WARNING))


class _Late(logging.Formatter):
    """Loads structlog with the first line: processes that watch over others seldom have anything to say."""

    def __init__(self, *, as_json: bool, with_words: bool) -> None:
        super().__init__()
        self._as_json = as_json
        self._with_words = with_words

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        return self._lines.format(record)

    @cached_property
    def _lines(self) -> logging.Formatter:
        from service.logs.lines import formatter  # noqa: PLC0415 - see above

        return formatter(as_json=self._as_json, with_words=self._with_words)
