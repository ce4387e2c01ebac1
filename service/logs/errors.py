"""Tracebacks that can be kept: where an error came from and of what kind it is, but seldom what it says.

What an error says may quote what was worked on: a plug-in's a prompt or an answer, a schema's a request. Only those of
the operating system, the database (whose parameters are hidden) and Redis say what is wrong with the surroundings.
"""

import traceback
from collections.abc import Iterator
from textwrap import indent

SPOKEN = ("sqlalchemy", "redis")
DEPTH = 10
"""Of errors within errors."""


def told(error: BaseException, *, with_words: bool) -> str:
    """The error's traceback, and those of what it came from, that first; `with_words`: with all that they say."""
    return "\n".join(_told(error, with_words, DEPTH))


def _told(error: BaseException, with_words: bool, depth: int) -> Iterator[str]:
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause and depth:
        yield from _told(cause, with_words, depth - 1)
        yield "which led to:"
    yield "Traceback (most recent call last):"
    yield "".join(traceback.format_tb(error.__traceback__)).rstrip()
    kind = type(error)
    yield f"{kind.__module__}.{kind.__qualname__}{_words(error, with_words)}"
    if isinstance(error, BaseExceptionGroup) and depth:
        for one in error.exceptions:
            yield indent("\n".join(_told(one, with_words, depth - 1)), "  ")


def _words(error: BaseException, with_words: bool) -> str:
    if with_words:
        return f": {error}"
    spoken = isinstance(error, OSError) or type(error).__module__.split(".")[0] in SPOKEN
    # What a database says on further lines is the row at fault.
    return f": {str(error).splitlines()[0]}" if spoken and str(error) else ""
