"""Keeps out of every suite what no suite may hold: anything sexual about minors.

The instructions forbid it; this catches what a model writes all the same, in plain words. It would rather turn away a
prompt too many, and it can't read misspellings or hints: read a sample.
"""

import re

_MINORS = re.compile(
    r"\b(?:child(?:ren)?|kids?|minors?|teens?|teenage[rd]?s?|adolescents?|under-?age|toddlers?|infants?|bab(?:y|ies)"
    r"|school ?(?:girl|boy|kid)s?|pupils?|(?:little|young) (?:girl|boy)s?|(?:1[0-7]|[0-9])[- ]year[- ]olds?"
    r"|niñ[oa]s?|menor(?:es)?(?: de edad)?|adolescentes|bebés?|colegialas?)\b"
    r"|未成年|子供|子ども|児童|幼児|少女|少年|小学生|中学生|高校生",
    re.IGNORECASE,
)
_SEXUAL = re.compile(
    r"\b(?:sex|sexy|sexual\w*|sexting|porn\w*|nudes?|nudity|naked|erotic\w*|intimate|intimacy|fetish\w*|orgasm\w*|arous\w+"
    r"|masturbat\w+|molest\w*|rap(?:e[ds]?|ing|ist)|incest\w*|lewd|seduc\w+"
    r"|sexo|sexuales|desnud\w+|erótic\w+|íntim\w+|violación|incesto)\b"
    r"|性的|性行為|セックス|ポルノ|裸|わいせつ|エロ|ヌード",
    re.IGNORECASE,
)


def sexual_about_minors(prompt: str) -> bool:
    """Whether words for minors and sexual words stand in the same prompt."""
    return bool(_MINORS.search(prompt) and _SEXUAL.search(prompt))
