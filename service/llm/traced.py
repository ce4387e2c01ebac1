"""Spans of calls to models, by OpenTelemetry's conventions for generative AI. No prompt, no answer, no key."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TypeAlias
from urllib.parse import urlsplit

from service import tracing
from service.llm.accounting import Answered
from service.llm.failures import BlockedError, CallFailedError

MAX_NAME = 200
"""Characters of a model's name, which its server may choose."""
Note: TypeAlias = Callable[[Answered], None]
"""Tells the span what came back."""

_PORTS = {"http": 80, "https": 443}


def request(
    operation: str, *, role: str, model: str, base_url: str, clean: Callable[[str | None], str | None]
) -> AbstractContextManager[Note]:
    """The span of one HTTP request to a model; `clean` takes a key out of what the server sent."""
    return _request(operation, role, model, base_url, clean) if tracing.is_on() else nullcontext(_note_nothing)


@contextmanager
def _request(
    operation: str, role: str, model: str, base_url: str, clean: Callable[[str | None], str | None]
) -> Iterator[Note]:
    address = urlsplit(base_url)
    attributes: tracing.Attributes = {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": "openai",  # the protocol's, as the conventions ask for; who serves it we can't know
        "gen_ai.request.model": model,
        "server.address": address.hostname or "",
        "server.port": address.port or _PORTS.get(address.scheme, 0),
        "proofhouse.role": role,
    }
    with tracing.span(f"{operation} {model}", attributes, kind=tracing.Kind.CLIENT) as span:

        def note(answer: Answered) -> None:
            span.note(
                {
                    "gen_ai.usage.input_tokens": answer.prompt_tokens,
                    "gen_ai.usage.output_tokens": answer.completion_tokens,
                }
            )
            if name := clean(answer.model):
                span.note({"gen_ai.response.model": name[:MAX_NAME]})

        try:
            yield note
        except CallFailedError as failed:
            span.fail(failed.problem.code)
            raise
        except BlockedError:
            span.fail("blocked")
            raise


def _note_nothing(_answer: Answered) -> None:
    """For requests that are not traced."""
