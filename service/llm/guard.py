"""Refuses addresses that are not the internet's, and ports of other services, but in PROOFHOUSE_ALLOWED_NETWORKS.

Whoever submits a job chooses whom workers connect to, and workers reach what a stranger does not: their own machine,
the network around them, a cloud's metadata. The networks are held by the process, not handed on from client to client:
a plug-in must not be able to forget them.
"""

import logging
import socket
from collections.abc import Iterable

from service.domain.addresses import Network, refusal, refused_port

logger = logging.getLogger(__name__)

_allowed: tuple[Network, ...] = ()


class RefusedAddressError(OSError):
    """Nothing was sent. The message names the kind of address, or the port; not the address, which a name may hide."""


def allow(networks: Iterable[Network]) -> None:
    """Let this process connect to these networks beside the internet, and to no others. For entry points."""
    global _allowed  # noqa: PLW0603 - see above
    _allowed = tuple(networks)


def check(address: str, port: int, name: str) -> None:
    """Let an IP address and a port pass that may be reached; `name` is what it was looked up for.

    Raises:
        RefusedAddressError: it must not be reached.
    """
    refused = refusal(address, port, _allowed)
    if refused:
        logger.warning("refused to connect to %s (%s), the address of %s", address, refused, name)
        raise RefusedAddressError(refused)


def refused_at_sight(host: str, port: int) -> str | None:
    """What must not be reached there, as far as can be told without looking a name up; None for what may be.

    An IPv4 address may be written in any form that the C library takes: 127.1, 0x7f000001, 017700000001.
    """
    bare = host.strip("[]")
    try:
        return refusal(bare if ":" in bare else socket.inet_ntoa(socket.inet_aton(bare)), port, _allowed)
    except (OSError, ValueError):
        # A name may stand for an address in a network that is allowed, if any is.
        return None if _allowed else refused_port(port)
