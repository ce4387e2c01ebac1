"""Keeps secrets out of text that came from a server or goes to a person."""

import json
import re
from collections.abc import Iterable
from urllib.parse import quote

MASK = "[redacted]"
MIN_SECRET = 8
"""Shorter keys are placeholders (`none`, `EMPTY`) that servers without keys are given; masking them would deface
answers that use the word."""

MIN_BEGINNING = 4
"""Shorter beginnings of a key, such as `sk-`, tell nothing."""

_USERINFO = re.compile(r"(?<=://)[^/\s@]+@")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def redact(text: str, secrets: Iterable[str | None]) -> str:
    """`text` with every secret masked, whether it stands there as it is, URL-encoded or JSON-escaped.

    So is the beginning of one at the very end: long texts are cut off before they come here.
    """
    for secret in secrets:
        if secret and len(secret) >= MIN_SECRET:
            for form in {secret, quote(secret), quote(secret, safe=""), json.dumps(secret)[1:-1]}:
                text = _without_beginning(text.replace(form, MASK), form)
    return text


def _without_beginning(text: str, secret: str) -> str:
    lengths = range(len(secret) - 1, MIN_BEGINNING - 1, -1)
    cut = next((length for length in lengths if text.endswith(secret[:length])), 0)
    return text[:-cut] + MASK if cut else text


def without_userinfo(text: str) -> str:
    """`text` with `user:password@` masked in every URL."""
    return _USERINFO.sub(f"{MASK}@", text)


def storable(text: str) -> str:
    """`text` with NUL and lone surrogates replaced by U+FFFD: no database or JSON writer takes those."""
    return _UNSTORABLE.sub("\ufffd", text)
