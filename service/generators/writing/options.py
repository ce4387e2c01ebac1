"""The options of the generator `llm`."""

from collections.abc import Mapping
from typing import Any

from marshmallow import fields, validate

from service.generators.selection import SelectionOptions
from service.generators.writing.templates import RAG_FS, VARIANTS
from service.llm.fields import BooleanField, integer, number, secret
from service.llm.options import EndpointOptions, reply_parameters

TOPICS = ("news", "general", "finance")
"""Tavily's."""
LANGUAGES = {"en": "English", "es": "Spanish", "ja": "Japanese"}
"""Languages to write in, by code, as the model is told."""


class WritingOptions(SelectionOptions, EndpointOptions):
    """The model that writes, what it is to cover, and how it is asked."""

    variant = fields.String(
        load_default=RAG_FS,
        validate=validate.OneOf(VARIANTS),
        metadata={
            "description": "rag shows examples of the category; rag_fs also of style and technique; rag_fs_ts also "
            "today's news, for which it needs search_api_key."
        },
    )
    tests_per_cell = integer(
        1,
        1000,
        load_default=1,
        metadata={"description": "Cases for each combination of category, style, technique and language."},
    )
    seed = integer(
        0,
        2**63 - 1,
        load_default=0,
        metadata={
            "description": "Decides the order of cells and which examples are shown; the model decides the rest."
        },
    )
    prompts_per_call = integer(1, 20, load_default=5, metadata={"description": "Most prompts asked for in one call."})
    examples_per_call = integer(
        1, 20, load_default=5, metadata={"description": "Examples of the category shown in one call."}
    )
    temperature = number(
        0,
        2,
        load_default=None,
        allow_none=True,
        metadata={"description": "null for 1, or for none if max_completion_tokens is set."},
    )
    max_tokens = integer(1, 10**6, load_default=2000, metadata={"description": "Most tokens of one reply."})
    max_completion_tokens = integer(
        1,
        10**6,
        load_default=None,
        allow_none=True,
        metadata={"description": "For reasoning models: sent for max_tokens; no temperature but a given one is sent."},
    )
    structured_output = BooleanField(
        load_default=True,
        metadata={"description": "Send the reply's JSON schema as response_format; not every server takes it."},
    )
    search_api_key = secret("The key for Tavily's search, for rag_fs_ts alone; stored encrypted, never shown again.")
    search_topic = fields.String(
        load_default="news",
        validate=validate.OneOf(TOPICS),
        metadata={"description": "Which of Tavily's searches rag_fs_ts uses."},
    )
    search_days = integer(
        1, 365, load_default=7, metadata={"description": "rag_fs_ts takes articles of so many days back."}
    )


_REPLY = {
    "type": "object",
    "properties": {"prompts": {"type": "array", "items": {"type": "string"}}},
    "required": ["prompts"],
    "additionalProperties": False,
}
_STRUCTURED = {"type": "json_schema", "json_schema": {"name": "prompts", "strict": True, "schema": _REPLY}}
_TEMPERATURE = 1.0
"""High, for prompts that differ."""


def parameters(options: Mapping[str, Any]) -> dict[str, Any]:
    """What joins each request."""
    return reply_parameters(options, _TEMPERATURE, _STRUCTURED)
