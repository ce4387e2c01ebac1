"""What identifies a suite: equal digests mean equal suites, wherever made."""

import hashlib
import json
from collections.abc import Iterable

from service.domain.cases import Case

FEATURES = ("index", "prompt", "category", "style", "technique", "language", "attack")


class SuiteDigest:
    """SHA-256 over the cases in order, one line of JSON each. How a case came about does not count."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def update(self, cases: Iterable[Case]) -> None:
        """Add the next cases."""
        for case in cases:
            content = {name: getattr(case, name) for name in FEATURES}
            line = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
            self._hash.update(line.encode() + b"\n")

    def __str__(self) -> str:
        """`sha256:` and 64 hexadecimal digits."""
        return f"sha256:{self._hash.hexdigest()}"
