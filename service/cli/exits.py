"""How commands end. Only a failed gate ever ends with 1, so that a script can tell it from everything else."""

import errno
import os
import sys
import traceback
from collections.abc import Callable
from enum import IntEnum
from typing import Any

import click

from service.cli.text import plain
from service.errors import AuthenticationError, PermissionDeniedError, ProofhouseError, UnavailableError
from service.processes import StartError
from service.settings import SettingsError


class Exit(IntEnum):
    """Exit codes."""

    DONE = 0
    GATE_FAILED = 1
    USAGE = 2
    """The command, its settings or what it asked for is wrong."""
    AUTHENTICATION = 3
    INFRASTRUCTURE = 4
    """Service, database or target out of reach; a job that failed, was cancelled or is paused."""
    GATE_INCONCLUSIVE = 5
    BUG = 70
    """An error of our own that nobody foresaw (EX_SOFTWARE of sysexits.h)."""
    INTERRUPTED = 130
    BROKEN_PIPE = 141


class CommandError(Exception):
    """Ends a command with a message on standard error and that exit code."""

    def __init__(self, message: str, code: Exit) -> None:
        super().__init__(message)
        self.code = code


def run(command: click.Command, args: list[str] | None = None) -> int:
    """Run a command line and say which code to exit with."""
    try:
        # Click answers with the code of ctx.exit(), or with what the command itself returned.
        returned = command.main(args, prog_name="proofhouse", standalone_mode=False)
        sys.stdout.flush()
    except SystemExit as ended:
        # Click's own answer to a broken pipe, whatever it was told, is to exit with 1.
        return Exit.BROKEN_PIPE if ended.code == 1 else Exit.DONE
    except Exception as error:  # noqa: BLE001 - whatever it is, it must not end with 1
        return _explain(error)
    return int(returned) if isinstance(returned, int) else Exit.DONE


def _explain(error: Exception) -> Exit:
    for kinds, explain in _EXPLANATIONS:
        if isinstance(error, kinds):
            return explain(error)
    traceback.print_exception(error)
    click.echo("This is a bug in Proofhouse; please report it with the lines above.", err=True)
    return Exit.BUG


def _aborted(_error: Any) -> Exit:
    return Exit.INTERRUPTED


def _command(error: Any) -> Exit:
    return _say(str(error), error.code)


def _usage(error: click.ClickException) -> Exit:
    error.show()
    return Exit.USAGE


def _ours(error: Any) -> Exit:
    if isinstance(error, AuthenticationError | PermissionDeniedError):
        return _say(str(error), Exit.AUTHENTICATION)
    away = isinstance(error, StartError | UnavailableError)
    return _say(str(error), Exit.INFRASTRUCTURE if away else Exit.USAGE)


def _system(error: Any) -> Exit:
    if error.errno != errno.EPIPE:
        return _say(str(error), Exit.INFRASTRUCTURE)
    # Whoever read our output has enough. Python must not complain of that when it closes the stream at exit.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return Exit.BROKEN_PIPE


def _say(message: str, code: Exit) -> Exit:
    click.echo(plain(message, lines=True), err=True)
    return code


_EXPLANATIONS: tuple[tuple[type[Exception] | tuple[type[Exception], ...], Callable[[Any], Exit]], ...] = (
    (click.Abort, _aborted),
    (click.ClickException, _usage),
    (CommandError, _command),
    ((ProofhouseError, SettingsError), _ours),
    (OSError, _system),
)
