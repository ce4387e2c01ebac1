"""Encryption at rest of what a job must keep secret."""

import json
from collections.abc import Iterable, Mapping

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from service.errors import ProofhouseError

Secrets = Mapping[str, Mapping[str, str]]
"""Secret options by role: {"target": {"api_key": "…"}, "judge": {…}}."""


class VaultError(ProofhouseError):
    """Stored secrets can't be decrypted with the keys at hand."""

    code = "secrets_unreadable"
    title = "Secrets unreadable"


class Vault:
    """Seals and opens secrets with Fernet keys: the first seals, all open."""

    def __init__(self, keys: Iterable[str]) -> None:
        try:
            ring = [Fernet(key) for key in keys]
            self._fernet = MultiFernet(ring)
        except ValueError as error:
            raise VaultError(
                "PROOFHOUSE_SECRET_KEY holds no valid Fernet key (32 bytes, URL-safe base64). "
                "Make one with: proofhouse keys secret"
            ) from error
        self._first = ring[0]

    def seal(self, secrets: Secrets) -> bytes | None:
        """Encrypt; None when there is nothing to keep."""
        if not any(secrets.values()):
            return None
        return self._fernet.encrypt(json.dumps({role: dict(values) for role, values in secrets.items()}).encode())

    def open(self, sealed: bytes | None) -> dict[str, dict[str, str]]:
        """Decrypt.

        Raises:
            VaultError: sealed with a key that is not among ours.
        """
        if sealed is None:
            return {}
        try:
            opened: dict[str, dict[str, str]] = json.loads(self._fernet.decrypt(sealed))
        except InvalidToken as error:
            raise VaultError(
                "The job's API keys were encrypted with a key that this worker does not have. "
                "Give API and workers the same PROOFHOUSE_SECRET_KEY."
            ) from error
        return opened

    def reseal(self, sealed: bytes) -> bytes | None:
        """The same secrets under the first key; None when they are under it already.

        Raises:
            VaultError: sealed with a key that is not among ours.
        """
        try:
            self._first.decrypt(sealed)
        except InvalidToken:
            return self.seal(self.open(sealed))
        return None
