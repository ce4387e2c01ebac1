import click
import httpx2
import pytest

from service.cli.commands import COMMANDS
from service.cli.exits import CommandError, Exit, run
from service.errors import (
    AuthenticationError,
    NotFoundError,
    PermissionDeniedError,
    UnavailableError,
)
from service.processes import StartError
from service.settings import SettingsError
from tests.unit.cli.conftest import Run


def ending_with(error: BaseException) -> click.Command:
    def callback() -> None:
        raise error

    return click.Command("test", callback=callback)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (click.UsageError("wrong"), 2),
        (click.FileError("missing.json"), 2),
        (click.ClickException("click itself would exit with 1"), 2),
        (SettingsError("not set"), 2),
        (NotFoundError("no such thing"), 2),
        (AuthenticationError("no key"), 3),
        (PermissionDeniedError("not allowed"), 3),
        (UnavailableError("away"), 4),
        (StartError("port in use"), 4),
        (PermissionError(13, "Permission denied"), 4),
        (CommandError("inconclusive", Exit.GATE_INCONCLUSIVE), 5),
        (RuntimeError("a bug"), 70),
        (KeyError("a bug"), 70),
        (httpx2.InvalidURL("a bug"), 70),
        (RecursionError(), 70),
        (KeyboardInterrupt(), 130),
        (click.Abort(), 130),
        (BrokenPipeError(32, "Broken pipe"), 141),
    ],
    ids=repr,
)
def test_every_way_to_end_has_its_code_and_none_is_that_of_a_failed_gate(error: BaseException, code: int) -> None:
    assert run(ending_with(error), []) == code


def test_a_command_that_just_returns_is_done() -> None:
    assert run(click.Command("test", callback=lambda: None), []) == 0


def test_what_a_command_returns_is_its_code() -> None:
    assert run(click.Command("test", callback=lambda: Exit.GATE_FAILED), []) == 1


def test_a_wrong_option_is_wrong_usage(proofhouse: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert proofhouse("up", "--port", "http") == 2
    assert "--port" in capsys.readouterr().err


def test_messages_are_plain(capsys: pytest.CaptureFixture[str]) -> None:
    run(ending_with(CommandError("clear\x1b[2J", Exit.USAGE)), [])
    assert capsys.readouterr().err == "clear\\x1b[2J\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str, proofhouse: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert proofhouse(command, "--help") == 0
    assert "Usage: proofhouse" in capsys.readouterr().out
