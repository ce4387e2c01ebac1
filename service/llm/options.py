"""The options by which a client names a model: shared by every plug-in that calls one."""

from collections.abc import Mapping
from typing import Any

from marshmallow import RAISE, Schema, fields, validate

from service.llm.fields import List, base_url, integer, number, secret, string

MAX_CONCURRENCY = 1024


class LimitOptions(Schema):
    """How hard a model may be driven. The limits hold across all workers and jobs that call it."""

    class Meta:
        """Refuses what it does not know."""

        unknown = RAISE

    max_concurrency = integer(
        1,
        MAX_CONCURRENCY,
        load_default=8,
        metadata={"description": "Most requests under way at once, over all workers."},
    )
    requests_per_minute = integer(
        1,
        10**9,
        load_default=None,
        allow_none=True,
        metadata={"description": "Most requests a minute, over all workers; null for no such limit."},
    )
    tokens_per_minute = integer(
        1,
        10**9,
        load_default=None,
        allow_none=True,
        metadata={"description": "Most tokens a minute, over all workers; null for no such limit."},
    )


class EndpointOptions(LimitOptions):
    """One model of an OpenAI-compatible server, and how to call it."""

    base_url = base_url(
        required=True,
        metadata={
            "description": "Where /chat/completions begins.",
            "example": "http://127.0.0.1:8081/v1",
        },
    )
    model = string(
        1, 200, required=True, metadata={"description": "The model's name at that server.", "example": "smollm2"}
    )
    api_key = secret("Sent as a bearer token, stored encrypted, never shown again.")
    timeout_seconds = number(
        0.1,
        600,
        load_default=60.0,
        metadata={"description": "Limit of one attempt, from sending the request to having read the whole answer."},
    )
    max_attempts = integer(
        1, 10, load_default=5, metadata={"description": "Requests a call may take, the first included."}
    )


def reply_parameters(
    options: Mapping[str, Any], temperature: float, response_format: Mapping[str, Any]
) -> dict[str, Any]:
    """What joins a request for a reply of ours to read; `temperature` where none is given.

    Reasoning models refuse `max_tokens` and any temperature of ours; asking with their own limit tells them.
    """
    reasoning, given = options["max_completion_tokens"], options["temperature"]
    parameters = {"max_completion_tokens": reasoning} if reasoning else {"max_tokens": options["max_tokens"]}
    if given is None and not reasoning:
        given = temperature
    if given is not None:
        parameters["temperature"] = given
    return parameters | ({"response_format": response_format} if options["structured_output"] else {})


class SamplingParameters(Schema):
    """Parameters of a chat completion request, sent as given and only when given."""

    class Meta:
        """Refuses what it does not know."""

        unknown = RAISE

    error_messages = {"unknown": "Is not among the parameters that can be set."}  # noqa: RUF012 - as Schema declares it

    temperature = number(0, 2)
    top_p = number(0, 1)
    top_k = integer(-1, 10**6, metadata={"description": "Not known to OpenAI; vLLM, llama.cpp and SGLang take it."})
    min_p = number(0, 1, metadata={"description": "Not known to OpenAI; vLLM, llama.cpp and SGLang take it."})
    repetition_penalty = number(0, 10, metadata={"description": "Not known to OpenAI; vLLM and SGLang take it."})
    frequency_penalty = number(-2, 2)
    presence_penalty = number(-2, 2)
    max_tokens = integer(1, 10**6)
    max_completion_tokens = integer(1, 10**6, metadata={"description": "OpenAI's newer models take it for max_tokens."})
    seed = integer(-(2**63), 2**63 - 1)
    stop = List(string(1, 1000), validate=validate.Length(1, 16))
    reasoning_effort = fields.String(validate=validate.OneOf(["none", "minimal", "low", "medium", "high", "xhigh"]))
