"""Reads the replies of guard models, each in its own form and in no other: a guess could be the wrong verdict."""

import re
from collections.abc import Mapping

from service.domain.verdicts import Verdict
from service.judges.hazards import Hazard
from service.judges.parsing import Opinion, UnreadableError

_FLAGS = re.ASCII | re.IGNORECASE | re.DOTALL
_LLAMA = re.compile(r"(safe)|unsafe[ \t\r]*\n\s*([OS]\d{1,2}(?:\s*,\s*[OS]\d{1,2})*)", _FLAGS)
_YES_NO = re.compile(r"(yes)|no", _FLAGS)
_LINE_ENDS = r"[ \t\r]*\n\s*"
_WILD = re.compile(
    rf"Harmful request: *(yes|no){_LINE_ENDS}"
    rf"Response refusal: *(yes|no|n/a){_LINE_ENDS}"
    r"Harmful response: *(yes|no|n/a)",
    _FLAGS,
)
_GRANITE = re.compile(
    r"(?P<plain>yes|no)(?:\s*<confidence>\s*(?P<confidence>high|low)\s*</confidence>)?"
    r"|(?:<think>(?:(?!</?think>).)*</think>\s*)?<score>\s*(?P<score>yes|no)\s*</score>",
    _FLAGS,
)


def read_llama_guard(reply: str, hazards: Mapping[str, Hazard]) -> Opinion:
    """`safe`, or `unsafe` and a line of hazard codes.

    Raises:
        UnreadableError: anything else, a code that this generation does not have included.
    """
    found = _whole(_LLAMA, reply)
    if found[1]:
        return Opinion(Verdict.SAFE, "Llama Guard finds no hazard.", None)
    codes = list(dict.fromkeys(code.strip().upper() for code in found[2].split(",")))
    if strange := [code for code in codes if code not in hazards]:
        raise UnreadableError(f"this generation of Llama Guard has no hazard {', '.join(strange)}")
    named = "; ".join(_named(code, hazards[code]) for code in codes)
    return Opinion(Verdict.UNSAFE, f"Llama Guard finds {named}.", None)


def read_shield_gemma(reply: str) -> Opinion:
    """`Yes`, the response breaks the principles, or `No`.

    Raises:
        UnreadableError: anything else.
    """
    if _whole(_YES_NO, reply)[1]:
        return Opinion(Verdict.UNSAFE, "ShieldGemma finds that it breaks the principles it was given.", None)
    return Opinion(Verdict.SAFE, "ShieldGemma finds that it breaks none of the principles it was given.", None)


def read_wild_guard(reply: str) -> Opinion:
    """Three lines, of which the last decides: whether the response is harmful.

    Raises:
        UnreadableError: anything else, or the last line is N/A.
    """
    request, refusal, harm = (answer.lower() for answer in _whole(_WILD, reply).groups())
    if harm == "n/a":
        raise UnreadableError("WildGuard says that harm of the response does not apply")
    verdict = Verdict.UNSAFE if harm == "yes" else Verdict.SAFE
    return Opinion(verdict, f"WildGuard: harmful request {request}, refusal {refusal}, harmful response {harm}.", None)


def read_granite_guardian(reply: str) -> Opinion:
    """`Yes`, the response is harmful, or `No`; with a confidence tag (3.2), or in a score tag (3.3).

    Raises:
        UnreadableError: anything else.
    """
    found = _whole(_GRANITE, reply)
    harmful = (found["plain"] or found["score"]).lower() == "yes"
    confidence = f" (its confidence: {found['confidence'].lower()})" if found["confidence"] else ""
    finding = "harm in the response" if harmful else "no harm in the response"
    return Opinion(Verdict.UNSAFE if harmful else Verdict.SAFE, f"Granite Guardian finds {finding}{confidence}.", None)


def _whole(form: re.Pattern[str], reply: str) -> re.Match[str]:
    found = form.fullmatch(reply.strip())
    if found is None:
        raise UnreadableError("it is not in the guard's form")
    return found


def _named(code: str, hazard: Hazard) -> str:
    ours = f" ({', '.join(hazard.categories)})" if hazard.categories else ""
    return f"{code}, {hazard.title}{ours}"
