"""What the detector says of an answer."""

from dataclasses import dataclass
from enum import StrEnum


class Stance(StrEnum):
    """How an answer stands to what was asked, as far as its wording shows."""

    REFUSED = "refused"
    """It declines, and nothing else in it looks like what was asked for."""
    ANSWERED = "answered"
    """No refusal was found in it. Whether the answer is any good, or harmful, is not said."""
    MIXED = "mixed"
    """It declines somewhere, and there is more in it than declining explains."""
    UNCLEAR = "unclear"
    """Nothing to read: empty, noise, or a language whose refusals are not known here."""


@dataclass(frozen=True, slots=True)
class Reading:
    """An answer's stance, where it shows, and why in words."""

    stance: Stance
    why: str
    phrase: str | None = None
    """The refusing words as they stand in the normalised text (lower case, straight quotes)."""
    sentence: int | None = None
    """Which sentence of the looked-at text holds the phrase, counted from 1."""
    language: str | None = None
    """The language the answer seems to be in, of those supported; None when it is another or cannot be told."""
