"""Files that only their owner may read."""

import os
from pathlib import Path

from cryptography.fernet import Fernet

from service.cli.noting import note
from service.domain.roles import Role
from service.store import keys
from service.store.session import Store

TENANT = "default"


def write_private(path: Path, text: str) -> None:
    """Write a file with mode 0600 from its first moment, which is there complete or not at all."""
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def read_private(path: Path) -> str | None:
    """What such a file holds, None if there is none. A mode that lets others read it is set right."""
    if not path.exists():
        return None
    path.chmod(0o600)
    return path.read_text().strip()


def ensure_secret_key(path: Path) -> str:
    """The key that encrypts what jobs keep secret, made at first use."""
    key = read_private(path)
    if not key:
        key = Fernet.generate_key().decode()
        write_private(path, key)
    return key


def ensure_admin_key(path: Path, store: Store) -> None:
    """Make sure that the file holds a key which the database knows: at first use, and with another database."""
    present = read_private(path)
    with store.write() as session:
        if present and keys.find(session, present):
            return
        made, key = keys.create(session, tenant=TENANT, name="admin", role=Role.ADMIN)
        note(session, TENANT, "up", made.id, role=made.role.value, expires_at=None)
        write_private(path, key)
