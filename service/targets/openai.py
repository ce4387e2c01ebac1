"""Targets behind an OpenAI-compatible chat completions endpoint."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import Schema, fields

from service.domain.cases import Case
from service.domain.completions import Completion
from service.llm.client import Message, ModelClient
from service.llm.fields import string
from service.llm.limits import Limiter
from service.llm.options import EndpointOptions, SamplingParameters
from service.targets.base import targets


class OpenAIOptions(EndpointOptions):
    """The endpoint, and what every prompt is sent with."""

    system_prompt = string(
        0,
        32_768,
        load_default=None,
        allow_none=True,
        metadata={"description": "Sent before every prompt; null or empty for none."},
    )
    parameters = fields.Nested(
        SamplingParameters,
        load_default=dict,
        metadata={"description": "Sampling parameters, sent as given; what is not given is left to the server."},
    )


@targets.register("openai")
class OpenAI:
    """Any server that speaks OpenAI's chat completions: OpenAI, Azure, vLLM, llama.cpp, Ollama, most gateways."""

    Options: ClassVar[type[Schema]] = OpenAIOptions

    def __init__(self, options: Mapping[str, Any], limiter: Limiter) -> None:
        self._client = ModelClient.from_options("target", options, limiter)
        self._parameters: Mapping[str, Any] = options["parameters"]
        system_prompt = options["system_prompt"]
        self._opening: list[Message] = [{"role": "system", "content": system_prompt}] if system_prompt else []

    async def complete(self, case: Case) -> Completion:
        """Send the case's prompt as the user's turn. An answer without text, such as a mere tool call, is ""."""
        return await self._client.chat([*self._opening, {"role": "user", "content": case.prompt}], self._parameters)

    async def close(self) -> None:
        """Close the pool of connections."""
        await self._client.close()
