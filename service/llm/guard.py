"""Refuses addresses that are not the internet's, unless PROOFHOUSE_ALLOWED_NETWORKS has them.

Whoever submits a job chooses whom workers connect to, and workers reach what a stranger does not: their own machine,
the network around them, a cloud's metadata. The networks are held by the process, not handed on from client to client:
a plug-in must not be able to forget them.
"""

import logging
import socket
from collections.abc import Iterable

from service.domain.addresses import Network, refusal

logger = logging.getLogger(__name__)

_allowed: tuple[Network, ...] = ()


class RefusedAddressError(OSError):
    """Nothing was sent. The message names the kind of address and not the address, which a name may hide."""


def allow(networks: Iterable[Network]) -> None:
    """Let this process connect to these networks beside the internet, and to no others. For entry points."""
    global _allowed  # noqa: PLW0603 - see above
    _allowed = tuple(networks)


def check(address: str, name: str) -> None:
    """Let an IP address pass that may be reached; `name` is what it was looked up for.

    Raises:
        RefusedAddressError: it must not be reached.
    """
    kind = refusal(address, _allowed)
    if kind:
        logger.warning("refused to connect to %s (%s), the address of %s", address, kind, name)
        raise RefusedAddressError(f"a {kind} address")


def refused_literal(host: str) -> str | None:
    """What kind of address a host stands for that must not be reached; None for any other host, and for every name.

    An IPv4 address may be written in any form that the C library takes: 127.1, 0x7f000001, 017700000001.
    """
    bare = host.strip("[]")
    try:
        return refusal(bare if ":" in bare else socket.inet_ntoa(socket.inet_aton(bare)), _allowed)
    except (OSError, ValueError):
        return None
