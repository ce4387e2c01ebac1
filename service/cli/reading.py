"""JSON documents that commands are given."""

import json
from typing import Any

from service.cli.client import Json
from service.cli.exits import CommandError, Exit


def read_json(file: Any, what: str) -> Json:
    """The JSON object in a file.

    Raises:
        CommandError: it holds none.
    """
    try:
        document = json.loads(file.read())
    except ValueError as error:
        raise CommandError(f"The {what} is not written in JSON: {error}", Exit.USAGE) from error
    if not isinstance(document, dict):
        raise CommandError(f"The {what} must be a JSON object.", Exit.USAGE)
    return document
