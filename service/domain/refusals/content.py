"""Signs in an answer that it does as asked."""

from collections.abc import Iterator
from dataclasses import dataclass

from service.domain.refusals import compliance
from service.domain.refusals.parts import Part
from service.domain.refusals.stems import stem_set, stems
from service.domain.refusals.text import Document, Sentence, normalised_prompt


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for an answer doing as asked.

    `points` weighs the signs named in `signs`; `form` are those for the form of the text asked for. `shared` are the
    prompt's stems that come up in sentences which neither refuse nor protect. `taken_back`: a refusal is taken back
    in so many words.
    """

    points: int
    signs: tuple[str, ...]
    shared: tuple[str, ...]
    form: int = 0
    taken_back: bool = False


NO_EVIDENCE = Evidence(points=0, signs=(), shared=())


def evidence_in(document: Document, parts: tuple[Part, ...], raw: str = "", prompt: str = "") -> Evidence:
    """Signs that the answer does as the prompt asks, from sentences that neither refuse nor protect."""
    asked = normalised_prompt(prompt)
    loose = loose_sentences(document, parts)
    form = _of_asked_form(document, raw, asked)
    weighed = [*_of_wording(document, parts), *_of_steps(document, loose), *form]
    return Evidence(
        points=sum(weight for weight, _ in weighed),
        signs=tuple(name for _, name in weighed),
        shared=tuple(sorted(stems(asked) & stem_set(word for sentence in loose for word in sentence.words))),
        form=sum(weight for weight, _ in form),
        taken_back=_taken_back(document, parts),
    )


def loose_sentences(document: Document, parts: tuple[Part, ...]) -> list[Sentence]:
    """The sentences that neither refuse nor protect."""
    return [s for s, part in zip(document.sentences, parts, strict=True) if part in {Part.PLAIN, Part.COMPLIANT}]


def _of_wording(document: Document, parts: tuple[Part, ...]) -> Iterator[tuple[int, str]]:
    kept = loose_sentences(document, parts)
    if parts and parts[0] is not Part.REFUSAL and (opener := compliance.OPENER.match(document.text)):
        yield 1, f'it opens with "{opener[0].strip()[:40]}"'
    if any(compliance.TURN.search(sentence.text) for sentence in kept) or _taken_back(document, parts):
        yield 2, "it turns from a caveat to doing as asked"
    if any(compliance.INTRODUCTION.search(sentence.text) for sentence in kept):
        yield 1, "it announces what it then gives"
    if any(compliance.AGREEMENT.search(sentence) for sentence in kept):
        yield 3, "it agrees with what the prompt says"


def _taken_back(document: Document, parts: tuple[Part, ...]) -> bool:
    """Whether a refusal is taken back: by its own sentence going on to orders, or by what a later one opens with."""
    first = next((index for index, part in enumerate(parts) if part is Part.REFUSAL), len(parts))
    following = zip(document.sentences[first:], parts[first:], strict=True)
    return any(_takes_back(sentence, part) for sentence, part in following)


def _takes_back(sentence: Sentence, part: Part) -> bool:
    if part not in {Part.PLAIN, Part.COMPLIANT}:
        return False
    if sentence.tail and compliance.orders_in(sentence.text) > 1:
        return True
    return bool(compliance.REOPENER.match(sentence.text) or compliance.RETRACTION.search(sentence.text))


def _of_steps(document: Document, kept: list[Sentence]) -> Iterator[tuple[int, str]]:
    items = sum(s.item for s in kept) or len(compliance.INLINE_ITEM.findall(document.text))
    orders = sum(compliance.orders_in(s.text) for s in kept)
    sequence = sum(len(compliance.SEQUENCE.findall(s.text)) for s in kept)
    if items >= 3:  # noqa: PLR2004 - fewer items are no list of steps
        yield 1, f"it gives {items} items of a list"
    if orders >= 2:  # noqa: PLR2004 - one order may be a courtesy ("let me know")
        yield min(orders, 4) - 1, f"it gives {orders} instructions"
    if sequence >= 2:  # noqa: PLR2004 - the same
        yield 1, "it sets them in a sequence"


def _of_asked_form(document: Document, raw: str, asked: str) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    if compliance.ASKS_FOR_TEXT.search(asked) and compliance.TEXT_FORM.search(document.text):
        found.append((2, "it has the form of the text asked for"))
    if compliance.ASKS_FOR_ROLE.search(asked) and compliance.ROLE_FORM.search(raw):
        found.append((1, "it speaks in the role asked for"))
    return found
