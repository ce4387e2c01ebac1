"""What stands on a line, whoever logged it, and what does not."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from structlog.contextvars import bound_contextvars, clear_contextvars

from service import logs
from service.logs.lines import formatter


@pytest.fixture(autouse=True)
def about_nothing() -> None:
    """Requests that earlier tests made in this thread have left what they were about."""
    clear_contextvars()


def line(log: Callable[[logging.Logger], None], *, as_json: bool = True, with_words: bool = False) -> str:
    """What is written when that is logged."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(formatter(as_json=as_json, with_words=with_words))
    logger = logging.Logger("some.library")  # noqa: LOG001 - known to nobody else
    logger.addHandler(handler)
    log(logger)
    return written.getvalue()


def fields(log: Callable[[logging.Logger], None], **how: bool) -> dict[str, Any]:
    """The line in JSON, which is one line."""
    (told,) = line(log, **how).splitlines()
    return dict(json.loads(told))


def test_a_line_of_any_library_is_one_line_of_json_with_what_it_is_about() -> None:
    with bound_contextvars(job_id="job_1", tenant="acme"):
        told = fields(lambda logger: logger.warning("lost\n%s", "twice"))
    assert told.pop("timestamp").endswith("Z")
    assert told == {
        "event": "lost\ntwice",
        "level": "warning",
        "logger": "some.library",
        "job_id": "job_1",
        "tenant": "acme",
    }


def test_what_a_library_adds_to_a_record_is_not_told() -> None:
    told = fields(lambda logger: logger.info("sent", extra={"status": 200, "body": "the prompt"}))
    assert told["status"] == 200
    assert "body" not in told


def failing(error: BaseException) -> Callable[[logging.Logger], None]:
    def log(logger: logging.Logger) -> None:
        try:
            raise error
        except type(error):
            logger.exception("failed")

    return log


@pytest.mark.parametrize(
    "error",
    [
        ValueError("canary"),
        KeyError("canary"),
        ExceptionGroup("canary", [ValueError("canary"), ExceptionGroup("canary", [TypeError("canary")])]),
    ],
)
@pytest.mark.parametrize("as_json", [True, False])
def test_a_traceback_says_where_and_what_kind_but_not_what_the_error_says(error: Exception, *, as_json: bool) -> None:
    told = line(failing(error), as_json=as_json)
    assert "test_logs.py" in told
    assert f"builtins.{type(error).__name__}" in told
    assert "canary" not in told
    assert "canary" in line(failing(error), as_json=as_json, with_words=True)


def test_nor_what_the_errors_say_that_it_came_from() -> None:
    outer, inner = RuntimeError("canary"), ValueError("canary")
    outer.__cause__ = inner
    told = fields(failing(outer))["exception"]
    assert told.index("builtins.ValueError") < told.index("which led to:") < told.index("builtins.RuntimeError")
    assert "canary" not in told


def test_what_the_system_says_is_told_up_to_the_end_of_its_line() -> None:
    told = fields(failing(ConnectionRefusedError(111, "Connection refused\nDETAIL: canary")))["exception"]
    assert told.endswith("builtins.ConnectionRefusedError: [Errno 111] Connection refused")


def test_for_people_a_line_is_no_json() -> None:
    told = line(lambda logger: logger.info("hello"), as_json=False)
    assert "hello" in told
    assert not told.startswith("{")


@contextmanager
def loggers_restored(*names: str) -> Iterator[None]:
    root = logging.getLogger()
    handlers, levels = root.handlers[:], {name: logging.getLogger(name).level for name in ("root", *names)}
    root.handlers.clear()
    try:
        yield
    finally:
        root.handlers[:] = handlers
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


@pytest.mark.parametrize(
    ("level", "enabled"),
    [
        ("debug", {"service.x": 10, "__main__": 10, "gunicorn.error": 20, "openai": 30, "other": 20}),
        ("info", {"service.x": 20, "__main__": 20, "gunicorn.error": 20, "openai": 30, "other": 20}),
        ("error", {"service.x": 40, "__main__": 40, "gunicorn.error": 40, "openai": 40, "other": 40}),
    ],
)
def test_debug_is_for_our_own_lines_alone(
    level: str, enabled: dict[str, int], capsys: pytest.CaptureFixture[str]
) -> None:
    with loggers_restored(*logs.OURS, *logs.CHATTY):
        logs.configure("json", level)
        assert {name: logging.getLogger(name).getEffectiveLevel() for name in enabled} == enabled
        logging.getLogger("service.x").error("told")
    assert json.loads(capsys.readouterr().err)["event"] == "told"


@pytest.mark.parametrize(("terminal", "is_json"), [(True, False), (False, True)])
def test_lines_are_for_people_where_people_look(
    monkeypatch: pytest.MonkeyPatch, *, terminal: bool, is_json: bool
) -> None:
    class Screen(io.StringIO):
        def isatty(self) -> bool:
            return terminal

    screen = Screen()
    monkeypatch.setattr("sys.stderr", screen)
    with loggers_restored(*logs.OURS, *logs.CHATTY):
        logs.configure()
        logging.getLogger("service.x").info("told")
    assert screen.getvalue().startswith("{") is is_json
