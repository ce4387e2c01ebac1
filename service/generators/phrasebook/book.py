"""Joins the texts into the two parts of a prompt: the lead, which persuades, and the request."""

from functools import cache

from service.generators.phrasebook.material import Material

_TERMS = 3
"""Technical terms named in a request that names any."""


class Phrasebook:
    """All texts of one language, and every lead and request made from them so far.

    A prompt is a lead, a space and a request. No lead begins with another lead and a space, and no two requests in
    the same wording are equal; therefore no two prompts are. The tests check both on every lead and request of all
    languages, which are some 30,000 texts a language, against some 400,000 prompts. (Japanese puts no space there,
    and then no lead begins with another.)
    """

    def __init__(self, language: str) -> None:
        material = Material(language)
        self.joints = material.joints
        self.subjects = material.subjects()
        self.claims = material.claims()
        self.wordings = material.wordings()
        # Kept, because a large suite uses each of them many times over. All there are take less than 10 MB.
        self._leads: dict[tuple[str, str, int, str, int], str] = {}
        self._requests: dict[tuple[str, int, str, int], str] = {}

    def prompt(self, category: str, style: str, technique: str, *, intent: int, claim: int, wording: int) -> str:
        """A whole prompt, from the numbers of its intent, claim and wording."""
        lead = self.lead(category, style, wording, technique, claim)
        return f"{lead}{self.joints.space}{self.request(category, intent, style, wording)}"

    def lead(self, category: str, style: str, wording: int, technique: str, claim: int) -> str:
        """The part of a prompt that carries the technique, in the words of the style."""
        key = (category, style, wording, technique, claim)
        if key not in self._leads:
            self._leads[key] = self._make_lead(*key)
        return self._leads[key]

    def request(self, category: str, intent: int, style: str, wording: int) -> str:
        """The part of a prompt that says what is wanted, in the words of the style."""
        key = (category, intent, style, wording)
        if key not in self._requests:
            self._requests[key] = self._make_request(*key)
        return self._requests[key]

    def _make_lead(self, category: str, style: str, wording: int, technique: str, claim: int) -> str:
        slots = self.subjects[category].slots
        clause = self.claims[technique][claim].format(**slots)
        chosen = self.wordings[style][wording]
        return chosen.rewrite(chosen.lead.format(claim=clause, Claim=clause[0].upper() + clause[1:], **slots))

    def _make_request(self, category: str, intent: int, style: str, wording: int) -> str:
        subject = self.subjects[category]
        wanted = subject.intents[intent]
        chosen = self.wordings[style][wording]
        terms = self._terms(subject.glossary, _TERMS * intent + wording)
        return chosen.rewrite(chosen.requests[wanted.kind].format(act=wanted.text, text=wanted.text, terms=terms))

    def _terms(self, glossary: tuple[str, ...], start: int) -> str:
        *others, last = (glossary[(start + place) % len(glossary)] for place in range(_TERMS))
        return f"{self.joints.comma.join(others)}{self.joints.last}{last}"


@cache
def phrasebook(language: str) -> Phrasebook:
    """The phrasebook of a language, read once a process, when it is first needed."""
    return Phrasebook(language)
