"""An answer made ready for reading: cut to size, normalised, split into sentences."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

HEAD = 6_000
TAIL = 2_000
"""Of a long answer only so many characters of its beginning and its end are looked at: a model declines at either
end, and the cap keeps a five-megabyte answer as cheap as a five-kilobyte one."""

_CHARACTERS = {
    **dict.fromkeys(map(ord, "\u2018\u2019\u201a\u201b\u2032\u00b4\u02bc"), "'"),
    **dict.fromkeys(map(ord, "\u201c\u201d\u201e\u201f\u00ab\u00bb\u300c\u300d\u300e\u300f"), '"'),
    **dict.fromkeys(map(ord, "\u2010\u2011\u2013\u2212"), "-"),
    **dict.fromkeys(map(ord, "\u2014\u2015"), " - "),
    **dict.fromkeys([0xAD, *range(0x200B, 0x2010), 0x2060, 0xFEFF]),
}
_BULLET = re.compile(r"^[ \t]*[*\u2022\u00b7\u2023\u25aa+][ \t]+", re.MULTILINE)
_EMPHASIS = re.compile(r"[*~]+|(?<!`)`(?!`)|(?<!\w)_+|_+(?!\w)|^#{1,6} +", re.MULTILINE)
_BLANKS = re.compile(r"[^\S\n]+")
_LINES = re.compile(r"\s*\n\s*")
_SENTENCE_END = re.compile(r"(?<=[.!?\u3002])[\"')\]]*\s+|\n|(?<=[\u3002!?])(?=[^\x00-\x7f])")
_ITEM = re.compile(r"(?:\d{1,2}[.)]|\(\d{1,2}\)|step \d{1,2}\b[.:)]?|-)(?:\s+|$)")
_QUOTE = re.compile(r'"[^"\n]*"')
_SPEAKER = re.compile(r"^(?!(?:note|answer|response|warning|disclaimer|step)\b)[a-z][\w .]{0,20}: ", re.MULTILINE)
_OWN_VOICE = re.compile(r"^(?:\[[^\]\n]{1,20}\]:? *|(?:assistant|ai|bot|chatbot|chatgpt|gpt|answer|response|a): *)")
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
_REASONING_END = "</think>"
_SCRIPT_LINES = 2
_PROMPT_LOOKED_AT = 4_000


class Sentence(NamedTuple):
    """A sentence or a line of its own."""

    text: str
    start: int
    words: frozenset[str]
    item: bool
    """It stands in a list or names a step."""
    foreign: bool
    """Someone else's words by their form: a block quote or code."""
    tail: bool = False
    """It goes on from a refusing clause in the same sentence."""


def sentence_of(text: str, start: int, *, item: bool = False, foreign: bool = False, tail: bool = False) -> Sentence:
    """A sentence with its words."""
    return Sentence(text, start, frozenset(_WORD.findall(text)), item, foreign, tail)


class Cued(NamedTuple):
    """A pattern with words of which any sentence it finds something in has one: a cheap test before the costly one."""

    pattern: re.Pattern[str]
    cues: frozenset[str]

    def search(self, sentence: Sentence) -> re.Match[str] | None:
        """The first match in a sentence."""
        return None if self.cues.isdisjoint(sentence.words) else self.pattern.search(sentence.text)


@dataclass(frozen=True, slots=True)
class Document:
    """An answer as the detector reads it."""

    text: str
    length: int
    """Characters of the whole answer, looked at or not."""
    sentences: tuple[Sentence, ...]
    words: tuple[str, ...]
    quotes: tuple[tuple[int, int], ...]
    script: int
    """Where several lines begin with a speaker's name: the first one's position. From there on "I" may be anyone."""

    @property
    def whole(self) -> bool:
        """Whether all of the answer is looked at."""
        return self.length <= HEAD + TAIL

    def quoted(self, position: int) -> bool:
        """Whether the character at that position stands between quotation marks."""
        return any(start <= position < end for start, end in self.quotes)


def normalise(text: str) -> str:
    """Lower case, straight quotes, ASCII width, single blanks; no markdown emphasis and no invisible characters."""
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text).translate(_CHARACTERS)
    plain = _BULLET.sub("- ", plain.casefold())
    return _LINES.sub("\n", _BLANKS.sub(" ", _EMPHASIS.sub("", plain))).strip()


@lru_cache(maxsize=4)
def normalised_prompt(prompt: str) -> str:
    """The beginning of a prompt, normalised. Several questions are asked of the same prompt in a row."""
    return normalise(prompt[:_PROMPT_LOOKED_AT])


def document(text: str) -> Document:
    """Read an answer: without its marked reasoning, head and tail only, split into sentences and words."""
    answer = _without_reasoning(text).strip()
    plain = _unwrapped(normalise(_head_and_tail(answer)))
    return Document(
        text=plain,
        length=len(answer),
        sentences=tuple(_sentences(plain)),
        words=tuple(_WORD.findall(plain)),
        quotes=tuple(match.span() for match in _QUOTE.finditer(plain)),
        script=_script_in(plain),
    )


def word_set(listed: str) -> frozenset[str]:
    """The words of a list that is written as running text."""
    return frozenset(listed.split())


def one_of(*patterns: str, flags: re.RegexFlag = re.NOFLAG) -> re.Pattern[str]:
    """A pattern that finds any of those given."""
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns), flags)


def words_of(text: str) -> list[str]:
    """The words of a normalised text, with their apostrophes."""
    return _WORD.findall(text)


def _script_in(plain: str) -> int:
    lines = [match.start() for match in _SPEAKER.finditer(plain)]
    return lines[0] if len(lines) >= _SCRIPT_LINES else len(plain)


def _without_reasoning(text: str) -> str:
    if text.lstrip()[:7] != "<think>":
        return text
    end = text.rfind(_REASONING_END)
    return text[end + len(_REASONING_END) :] if end >= 0 else ""


def _head_and_tail(text: str) -> str:
    return text if len(text) <= HEAD + TAIL else f"{text[:HEAD]}\n{text[-TAIL:]}"


def _unwrapped(text: str) -> str:
    """An answer put in quotation marks as a whole is still the model's own; so is one under its own name."""
    if text[:1] == '"' and text[-1:] == '"' and text.count('"') == len('""'):
        text = text[1:-1].strip()
    return _OWN_VOICE.sub("", text, count=1)


def _sentences(text: str) -> list[Sentence]:
    found: list[Sentence] = []
    fenced, position, item = False, 0, False
    for end in [*_SENTENCE_END.finditer(text), None]:
        stop, following = (end.start(), end.end()) if end else (len(text), len(text))
        piece, new_line = text[position:stop], position == 0 or text[position - 1] == "\n"
        fenced ^= piece.startswith("```")
        marker = _ITEM.match(piece)
        item = bool(marker) or (item and not new_line)
        body = piece[marker.end() :] if marker else piece
        if body:
            start = position + len(piece) - len(body)
            foreign = fenced or piece.startswith((">", "```"))
            found.append(sentence_of(body, start, item=item, foreign=foreign))
        position = following
    return found
