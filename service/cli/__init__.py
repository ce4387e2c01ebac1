"""The command `proofhouse`."""

import sys


def main() -> None:
    """Run the command line.

    Nothing is imported before the guard stands: an installation that is broken must not end with 1, which scripts read
    as a failed gate.
    """
    try:
        from service.cli.commands import cli  # noqa: PLC0415 - see above
        from service.cli.exits import run  # noqa: PLC0415 - see above
    except ImportError as error:
        sys.stderr.write(f"Proofhouse is not installed completely: {error}. Run `make install` again.\n")
        sys.exit(70)
    sys.exit(run(cli))
