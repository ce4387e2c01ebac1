"""The API's description as a file: `python -m service.api.openapi [--check] openapi.yaml`. Needs no setting."""

import argparse
import sys
from pathlib import Path

from flask import Flask

from service.api import routes
from service.api.describing import to_yaml


def main(arguments: list[str] | None = None) -> int:
    """Write the file, or with --check say whether it is up to date."""
    parser = argparse.ArgumentParser(prog="python -m service.api.openapi", description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if the file is out of date")
    options = parser.parse_args(arguments)
    if not options.check:
        options.file.write_text(document())
    elif not options.file.exists() or options.file.read_text() != document():
        sys.stderr.write(f"{options.file} is out of date: run `python -m service.api.openapi {options.file}`\n")
        return 1
    return 0


def document() -> str:
    """The description of a bare application: nothing but its routes."""
    return to_yaml(routes.register(Flask("service")))


if __name__ == "__main__":
    sys.exit(main())
