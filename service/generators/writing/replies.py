"""Reads the prompts out of a model's reply, or says that it cannot be read. Rules: docs/generation-llm.md."""

import json
import re
from typing import Any

from service.llm.redaction import storable

_FENCED = re.compile(r"\A```(?:json)?[ \t]*\r?\n(.*)\r?\n[ \t]*```\Z", re.DOTALL | re.IGNORECASE)


class UnreadableError(ValueError):
    """The reply is not the one JSON object that was asked for; the message says in what way."""


def read_prompts(reply: str) -> list[str | None]:
    """The prompts of a reply in their order; None stands for an item that is no text.

    Raises:
        UnreadableError: the reply, with one code fence and surrounding white space taken off, is neither an object
            with a list `prompts` nor such a list by itself. Prompts are never looked for in prose, where nobody could
            tell where one ends.
    """
    try:
        # Not strict: a line break within a string is no JSON, but leaves no doubt about where the string ends.
        value = json.loads(_unfenced(reply.strip()), strict=False)
    except (ValueError, RecursionError) as error:
        raise UnreadableError("it was not one JSON object and nothing else") from error
    items = value.get("prompts") if isinstance(value, dict) else value
    if not isinstance(items, list):
        raise UnreadableError('it had no list "prompts"')
    if not items:
        raise UnreadableError("its list was empty")
    return [_text(item) for item in items]


def _unfenced(reply: str) -> str:
    fenced = _FENCED.match(reply)
    return fenced.group(1).strip() if fenced else reply


def _text(item: Any) -> str | None:
    if isinstance(item, dict):
        item = item.get("prompt")
    return storable(item).strip() if isinstance(item, str) else None
