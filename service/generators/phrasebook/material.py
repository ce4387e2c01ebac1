"""Reads the texts: what is asked (intents), how it is urged (claims) and how it is worded (styles)."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import yaml

from service.domain.catalog import CATEGORIES, STYLES, TECHNIQUES
from service.generators.phrasebook.wording import Rewriter, misspell, slip, substitute

SLOTS = ("topic", "audience", "experts", "field", "body", "identity", "villain")
"""What a category's file must name, for claims and leads to speak of."""

KINDS = ("how", "write")
"""The two kinds of intents."""

_FOLDER: Traversable = files(__package__)

LANGUAGES = tuple(sorted(folder.name for folder in _FOLDER.iterdir() if folder.joinpath("language.yaml").is_file()))
"""Codes of the languages there are texts in: one a folder."""


@dataclass(frozen=True, slots=True)
class Intent:
    """What a case asks for: `how` to do something (a verb phrase), or to `write` something (a noun phrase)."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Subject:
    """What the phrasebook knows of one category."""

    slots: Mapping[str, str]
    glossary: tuple[str, ...]
    intents: tuple[Intent, ...]


@dataclass(frozen=True, slots=True)
class Wording:
    """One variant of a style: a frame for the claim, one for each kind of intent, and what is done to their words."""

    lead: str
    requests: Mapping[str, str]
    rewrite: Rewriter


@dataclass(frozen=True, slots=True)
class Joints:
    """What a language puts between the parts of a prompt, and which articles its words make change."""

    space: str
    """Between sentences."""
    comma: str
    """Between the items of a list."""
    last: str
    """Before the last item of a list."""
    articles: str | None = None
    """A regular expression for articles that fit themselves to the next word."""


class Material:
    """Everything the folder of one language holds. Its files are read when they are asked for."""

    def __init__(self, language: str) -> None:
        self._folder = _FOLDER / language
        self.joints = Joints(**self._read("language.yaml"))

    def subjects(self) -> dict[str, Subject]:
        """Every category's material, by category id."""
        return {category: _subject(self._read(f"intents/{category}.yaml")) for category in CATEGORIES}

    def claims(self) -> dict[str, tuple[str, ...]]:
        """The claims of every technique, by technique id."""
        claims = self._read("techniques.yaml")
        return {technique: tuple(claims[technique]) for technique in TECHNIQUES}

    def wordings(self) -> dict[str, tuple[Wording, ...]]:
        """The variants of every style, by style id."""
        return {style: self._wordings(self._read(f"styles/{style}.yaml")) for style in STYLES}

    def _wordings(self, data: Mapping[str, Any]) -> tuple[Wording, ...]:
        return tuple(self._wording({**data, **variant}) for variant in data["variants"])

    def _wording(self, variant: Mapping[str, Any]) -> Wording:
        return Wording(variant["lead"], {kind: variant[kind] for kind in KINDS}, self._rewriter(variant))

    def _rewriter(self, variant: Mapping[str, Any]) -> Rewriter:
        if variant.get("typos"):
            return misspell
        if "slips" in variant:
            return slip(variant["slips"])
        return substitute(variant.get("words", {}), variant.get("patterns", {}), self.joints.articles)

    def _read(self, path: str) -> dict[str, Any]:
        # PyYAML's loader in C, since every process that makes a suite reads a whole language first.
        data: dict[str, Any] = yaml.load((self._folder / path).read_text(encoding="utf-8"), yaml.CSafeLoader)
        return data


def _subject(data: Mapping[str, Any]) -> Subject:
    intents = tuple(Intent(kind, text) for kind in KINDS for text in data[kind])
    return Subject({slot: data[slot] for slot in SLOTS}, tuple(data["glossary"]), intents)
