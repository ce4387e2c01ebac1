"""Keeps secrets out of text that came from a server or goes to a person."""

import json
import re
from collections.abc import Iterable
from urllib.parse import quote

MASK = "[redacted]"
MIN_SECRET = 8
"""Shorter keys are placeholders (`none`, `EMPTY`) that servers without keys are given; masking them would deface
answers that use the word."""

_USERINFO = re.compile(r"(?<=://)[^/\s@]+@")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def redact(text: str, secrets: Iterable[str | None]) -> str:
    """`text` with every secret masked, whether it stands there as it is, URL-encoded or JSON-escaped."""
    for secret in secrets:
        if secret and len(secret) >= MIN_SECRET:
            for form in {secret, quote(secret), quote(secret, safe=""), json.dumps(secret)[1:-1]}:
                text = text.replace(form, MASK)
    return text


def without_userinfo(text: str) -> str:
    """`text` with `user:password@` masked in every URL."""
    return _USERINFO.sub(f"{MASK}@", text)


def storable(text: str) -> str:
    """`text` with NUL and lone surrogates replaced by U+FFFD: no database or JSON writer takes those."""
    return _UNSTORABLE.sub("\ufffd", text)
