"""Gunicorn's own lines, in the form of all others."""

import logging
import re
from typing import Any

from gunicorn.glogging import Logger as GunicornLogger

from service.logs import configure
from service.settings import log_options

_QUOTED = re.compile(r"""b?['"].*""", re.DOTALL)


class Logger(GunicornLogger):  # type: ignore[misc] # gunicorn has no types
    """Hands its lines on instead of writing them."""

    def setup(self, cfg: Any) -> None:
        """Leave level and form to the service."""
        self.cfg = cfg
        configure(*log_options())
        self.error_log.setLevel(logging.NOTSET)
        self.error_log.propagate = True

    def warning(self, msg: str, *args: Any, **kwargs: Any) -> None:
        """Warn, but quote nothing of a request that can't be read: it may be a key in a header without a colon."""
        super().warning(_QUOTED.sub("…", msg) if msg.startswith("Invalid request") else msg, *args, **kwargs)
