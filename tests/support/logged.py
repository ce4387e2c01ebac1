"""What a process would log."""

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from service.logs.lines import formatter


@contextmanager
def logged() -> Iterator[io.StringIO]:
    """All lines from now on, in JSON, as those of a process at the level info."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(formatter(as_json=True, with_words=False))
    root, ours = logging.getLogger(), logging.getLogger("service")
    root.addHandler(handler)
    level = ours.level
    ours.setLevel(logging.INFO)
    try:
        yield written
    finally:
        ours.setLevel(level)
        root.removeHandler(handler)
