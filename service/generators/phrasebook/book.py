"""Joins the texts into the two parts of a prompt: the lead, which persuades, and the request."""

from functools import cache

from service.generators.phrasebook.material import load_claims, load_subjects, load_wordings

_TERMS = 3
"""Technical terms named in a request that names any."""


class Phrasebook:
    """All texts of the generator, and every lead and request made from them so far.

    A prompt is a lead, a space and a request. No lead begins with another lead and a space, and no two requests in
    the same wording are equal; therefore no two prompts are. The tests check both on every lead and request there is,
    which are some 30,000 texts, against some 400,000 prompts.
    """

    def __init__(self) -> None:
        self.subjects = load_subjects()
        self.claims = load_claims()
        self.wordings = load_wordings()
        # Kept, because a large suite uses each of them many times over. All there are take less than 10 MB.
        self._leads: dict[tuple[str, str, int, str, int], str] = {}
        self._requests: dict[tuple[str, int, str, int], str] = {}

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
        terms = _terms(subject.glossary, _TERMS * intent + wording)
        return chosen.rewrite(chosen.requests[wanted.kind].format(act=wanted.text, text=wanted.text, terms=terms))


@cache
def phrasebook() -> Phrasebook:
    """The phrasebook, read once a process, when it is first needed."""
    return Phrasebook()


def _terms(glossary: tuple[str, ...], start: int) -> str:
    *others, last = (glossary[(start + place) % len(glossary)] for place in range(_TERMS))
    return f"{', '.join(others)} and {last}"
