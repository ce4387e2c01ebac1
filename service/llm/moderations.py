"""Reads what a moderations endpoint found, strictly: half an answer is none."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from service.llm.bodies import parse_json
from service.llm.errors import PROBLEMS
from service.llm.failures import CallFailedError
from service.llm.replies import error_in_place_of_answer, token_counts

MAX_CATEGORIES = 100
MAX_NAME = 100


@dataclass(frozen=True, slots=True)
class Moderation:
    """The endpoint's finding on one text. Categories and scores (0 to 1) go by the endpoint's own names."""

    flagged: bool
    categories: Mapping[str, bool]
    scores: Mapping[str, float]
    prompt_tokens: int = 0
    completion_tokens: int = 0
    blocked_reason: None = None
    """As every answer has; a moderation is never cut off by a filter."""
    model: None = None
    """As every answer has; not looked for here."""


def read_moderation(body: bytes) -> Moderation:
    """The finding in a response of HTTP 200. A category that is null does not exist for the model, and is left out.

    Raises:
        CallFailedError: it is no moderation of one text, or an error object in its place.
        BlockedError: it is an error object by which the provider's filter speaks.
    """
    try:
        value = parse_json(body)
    except ValueError as error:
        raise _malformed(f"not JSON: {error}") from error
    result = _only_result(value)
    if not isinstance(result.get("flagged"), bool):
        raise _malformed("flagged is no boolean")
    categories = _named(result.get("categories"), "categories")
    scores = _named(result.get("category_scores"), "category_scores")
    if not categories or not all(isinstance(found, bool) for found in categories.values()):
        raise _malformed("categories are no booleans")
    if not all(_is_score(score) for score in scores.values()):
        raise _malformed("category_scores are not from 0 to 1")
    return Moderation(result["flagged"], categories, scores, *token_counts(value))


def _only_result(value: Any) -> Mapping[str, Any]:
    results = value.get("results") if isinstance(value, dict) else None
    if isinstance(results, list) and len(results) == 1 and isinstance(results[0], dict):
        return results[0]
    if isinstance(value, dict) and value.get("error"):
        raise error_in_place_of_answer(value)
    raise _malformed("not one result")


def _named(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict) or len(value) > MAX_CATEGORIES or any(len(name) > MAX_NAME for name in value):
        raise _malformed(f"no {what}")
    return {name: found for name, found in value.items() if found is not None}


def _is_score(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _malformed(detail: str) -> CallFailedError:
    return CallFailedError(PROBLEMS["no_moderation"], detail)
