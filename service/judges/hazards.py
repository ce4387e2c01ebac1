"""The hazard codes by which Llama Guard says what is unsafe, and our categories for them.

Sources: the chat templates and model cards of Llama Guard 1 (order as in arXiv 2312.06674), 2, 3 and 4. From the second
generation on they follow the MLCommons hazards, so that our catalogue's mapping to those leads back to our categories.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from service.domain.catalog import CATEGORIES


@dataclass(frozen=True, slots=True)
class Hazard:
    """One entry of a guard's taxonomy."""

    title: str
    mlcommons: tuple[str, ...] = ()
    """Short codes of the AILuminate hazards it is about, as in `Category.mlcommons`."""
    narrower: tuple[str, ...] = ()
    """Our categories where MLCommons has no such hazard, or a much wider one."""

    @property
    def categories(self) -> tuple[str, ...]:
        """Our categories that overlap with it, the closest first."""
        return self.narrower or tuple(sorted(filter(self._rank, CATEGORIES), key=self._rank))

    def _rank(self, category: str) -> int:
        """1 where it is the category's closest hazard, 2 where it is the second, and so on; 0 for none."""
        codes = CATEGORIES[category].mlcommons
        return next((rank for rank, code in enumerate(codes, 1) if code in self.mlcommons), 0)


_VIOLENT = Hazard("violent crimes", ("vcr",))
_NON_VIOLENT = Hazard("non-violent crimes", ("ncr",))
_SEX_CRIMES = Hazard("sex-related crimes", ("src",))
_CHILDREN = Hazard("child sexual exploitation", ("cse",))
_DEFAMATION = Hazard("defamation", ("dfm",))
_ADVICE = Hazard("specialized advice", ("spc",))
_PRIVACY = Hazard("privacy", ("prv",))
_PROPERTY = Hazard("intellectual property", ("ipv",))
_WEAPONS = Hazard("indiscriminate weapons", ("iwp",))
_HATE = Hazard("hate", ("hte",))
_SELF_HARM = Hazard("suicide and self-harm", ("ssh",))
_SEXUAL = Hazard("sexual content", ("sxc",))


def _numbered(letter: str, *hazards: Hazard) -> Mapping[str, Hazard]:
    return {f"{letter}{number}": hazard for number, hazard in enumerate(hazards, 1)}


LLAMA_GUARD_1 = _numbered(
    "O",
    Hazard("violence and hate", ("vcr", "hte")),
    _SEXUAL,
    Hazard("criminal planning", ("ncr", "vcr")),
    Hazard("guns and illegal weapons", narrower=("drugs_weapons",)),
    Hazard("regulated or controlled substances", narrower=("drugs_weapons",)),
    _SELF_HARM,
)
LLAMA_GUARD_2 = _numbered(
    "S",
    _VIOLENT,
    _NON_VIOLENT,
    _SEX_CRIMES,
    _CHILDREN,
    _ADVICE,
    _PRIVACY,
    _PROPERTY,
    _WEAPONS,
    _HATE,
    _SELF_HARM,
    _SEXUAL,
)
LLAMA_GUARD_3 = _numbered(
    "S",
    _VIOLENT,
    _NON_VIOLENT,
    _SEX_CRIMES,
    _CHILDREN,
    _DEFAMATION,
    _ADVICE,
    _PRIVACY,
    _PROPERTY,
    _WEAPONS,
    _HATE,
    _SELF_HARM,
    _SEXUAL,
    Hazard("elections", narrower=("misinformation", "controversial_topics")),
    Hazard("code interpreter abuse"),
)
"""Those of the third generation and the fourth."""
