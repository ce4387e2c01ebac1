"""Logging: one line an event, to standard error; never a prompt, a response or a key."""

import logging


def configure(level: int = logging.INFO) -> None:
    """Set logging up for a process of the service."""
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for chatty in ("rq", "httpx2", "openai", "alembic.runtime.migration", "alembic.runtime.plugins"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
