"""TCP ports of this machine."""

import socket

from service.processes import StartError


def free_port(host: str, port: int, option: str) -> int:
    """That port, or any free one for 0.

    Raises:
        StartError: something else listens there, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen()
        except OSError as error:
            reason = error.strerror or str(error)
            raise StartError(f"Can't listen on {host}:{port} ({reason}). Choose another port with {option}.") from error
        found: int = probe.getsockname()[1]
        return found


def url(host: str, port: int) -> str:
    """Where a browser on this machine finds a server that listens there."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - read here, not bound to
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"
