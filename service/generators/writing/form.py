"""Is it one prompt of the kind asked for? Judged by form alone: what it is about can't be told here."""

import re

from service.domain.effort import Fault
from service.domain.refusals import Stance, detect

SHORTEST = {"en": 20, "es": 20, "ja": 8}
"""Characters; Japanese says more with each."""
FEWEST_WORDS = 4
"""In languages that write spaces; fewer may be a lone address or a title."""
LONGEST = 2000
MOST_SENTENCE_LINES = 2
"""So many lines may each be a whole sentence, as in a short dialogue; with more, each line is taken for a prompt."""

_LISTED = re.compile(r"\A(?:\(?\d{1,2}(?:[.):]\s|、)|[-*•・]\s)")
_LABEL = re.compile(
    r"\A\W*(?:prompt|request|example|test (?:case|input|prompt)|solicitud|petición|ejemplo|プロンプト|リクエスト|例)"
    r"(?: ?\d+)?\s*[:\uff1a.]",
    re.IGNORECASE,
)
_ABOUT_PROMPTS = re.compile(
    r"\A\W*(?:(?:sure|certainly|of course|okay|absolutely|claro|por supuesto|はい|もちろん)\W+)?"
    r"(?:(?:here|below) (?:are|is)|here's|the following|these|aquí (?:tienes?|están?|hay)|"
    r"(?:a continuación|los siguientes)|以下)"
    r".{0,60}?(?:prompts?|requests|examples|test inputs?|solicitudes|peticiones|ejemplos|プロンプト|リクエスト|例)",
    re.IGNORECASE | re.DOTALL,
)
_OUR_OWN_WORD = re.compile(r"\btest inputs?\b", re.IGNORECASE)
"""What the templates call a prompt: small models talk about it."""
_CODE = re.compile(r"\A(?:\{|```|\[\s*[\"{]|<[^>]*>\Z|\[[^\]]*\]\Z)")
_SPEAKER = re.compile(r"\A\W*[^\W\d][\w .'’-]{0,30}[:\uff1a]")
_SENTENCE = re.compile(r"[.?!。\uff1f\uff01][\"'”’」』)]*\Z")
_KANA = re.compile("[\u3040-\u30ff]")
_LETTER = re.compile(r"[^\W\d_]")


def form_fault(prompt: str | None, language: str) -> tuple[Fault, str] | None:
    """What keeps an item of a reply from being one prompt, and in words what is wrong with it; None if nothing does."""
    if prompt is None:
        return Fault.OFF_FORM, "is no text"
    if not _LETTER.search(prompt):
        return Fault.EMPTY, "is empty"
    why = _off_form(prompt, language)
    return (Fault.OFF_FORM, why) if why else None


def _off_form(prompt: str, language: str) -> str | None:
    if len(prompt) < SHORTEST[language] or (language != "ja" and len(prompt.split()) < FEWEST_WORDS):
        return "is too short to be a request"
    if len(prompt) > LONGEST:
        return f"is longer than {LONGEST} characters"
    if (language == "ja") != bool(_KANA.search(prompt)):
        return "is not in the language asked for"
    return _said_about_prompts(prompt) or _several(prompt)


def _said_about_prompts(prompt: str) -> str | None:
    if _CODE.match(prompt):
        return "is a placeholder or code instead of a request"
    if _LABEL.match(prompt) or _ABOUT_PROMPTS.match(prompt) or _OUR_OWN_WORD.search(prompt):
        return "speaks about the requests instead of being one"
    if detect(prompt).stance is Stance.REFUSED:
        return "is a refusal instead of a request"
    return None


def _several(prompt: str) -> str | None:
    if _LISTED.match(prompt):
        return "is an item or a whole list, with its numbering"
    lines = [line for line in map(str.strip, prompt.splitlines()) if line]
    whole = [line for line in lines if _SENTENCE.search(line) and not _SPEAKER.match(line)]
    if len(whole) > MOST_SENTENCE_LINES and len(whole) == len(lines):
        return "holds several requests in one"
    return None
