"""Reads the texts: what is asked (intents), how it is urged (claims) and how it is worded (styles)."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import yaml

from service.domain.catalog import CATEGORIES, STYLES, TECHNIQUES
from service.generators.phrasebook.wording import Rewriter, misspell, substitute

SLOTS = ("topic", "audience", "experts", "field", "body", "identity", "villain")
"""What a category's file must name, for claims and leads to speak of."""

KINDS = ("how", "write")
"""The two kinds of intents."""


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


def load_subjects() -> dict[str, Subject]:
    """Every category's material, by category id."""
    return {category: _subject(_read(f"intents/{category}.yaml")) for category in CATEGORIES}


def load_claims() -> dict[str, tuple[str, ...]]:
    """The claims of every technique, by technique id."""
    claims = _read("techniques.yaml")
    return {technique: tuple(claims[technique]) for technique in TECHNIQUES}


def load_wordings() -> dict[str, tuple[Wording, ...]]:
    """The variants of every style, by style id."""
    return {style: _wordings(_read(f"styles/{style}.yaml")) for style in STYLES}


def _subject(data: Mapping[str, Any]) -> Subject:
    intents = tuple(Intent(kind, text) for kind in KINDS for text in data[kind])
    return Subject({slot: data[slot] for slot in SLOTS}, tuple(data["glossary"]), intents)


def _wordings(data: Mapping[str, Any]) -> tuple[Wording, ...]:
    return tuple(_wording(data, variant) for variant in data["variants"])


def _wording(style: Mapping[str, Any], variant: Mapping[str, Any]) -> Wording:
    requests = {kind: variant[kind] for kind in KINDS}
    return Wording(variant["lead"], requests, _rewriter({**style, **variant}))


def _rewriter(style: Mapping[str, Any]) -> Rewriter:
    if style.get("typos"):
        return misspell
    return substitute(style.get("words", {}), style.get("patterns", {}))


def _read(path: str) -> dict[str, Any]:
    file: Traversable = files(__package__) / path
    data: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return data
