"""When two texts count as the same."""

import hashlib
import unicodedata


def normal(text: str) -> str:
    """The text with nothing but its letters and digits, and single spaces: case, accents' forms and signs fold."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join("".join(char if char.isalnum() else " " for char in folded).split())


def fingerprint(text: str) -> str:
    """64 hexadecimal digits, equal for texts whose `normal` forms are equal."""
    return hashlib.sha256(normal(text).encode()).hexdigest()
