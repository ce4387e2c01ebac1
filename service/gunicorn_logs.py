"""Gunicorn's own lines, in the form of all others."""

import logging
from typing import Any

from gunicorn.glogging import Logger as GunicornLogger

from service.logs import configure
from service.settings import log_options


class Logger(GunicornLogger):  # type: ignore[misc] # gunicorn has no types
    """Hands its lines on instead of writing them."""

    def setup(self, cfg: Any) -> None:
        """Leave level and form to the service."""
        self.cfg = cfg
        configure(*log_options())
        self.error_log.setLevel(logging.NOTSET)
        self.error_log.propagate = True
