"""Encrypting again, under the first key, all that was encrypted under another."""

from collections.abc import Iterator

from sqlalchemy import Table, select, update
from sqlalchemy.orm import Session

from service.store.session import Store, changed
from service.store.tables import Base
from service.store.vault import Vault

BATCH = 200
"""Rows in one transaction: few enough that nobody waits long for their locks."""


def reseal_all(store: Store, vault: Vault) -> int:
    """Bring every stored secret under the vault's first key; gives how many were under another.

    What is under it already is left alone, so that it may be broken off and run again.

    Raises:
        VaultError: one was sealed with a key that is not among the vault's.
    """
    return sum(_reseal(store, vault, table) for table in sealed_tables())


def sealed_tables() -> list[Table]:
    """The tables that hold sealed secrets: each has one key column, and the secrets in a column of that name."""
    return [table for table in Base.metadata.sorted_tables if "secrets" in table.columns]


def _reseal(store: Store, vault: Vault, table: Table) -> int:
    total, last = 0, ""
    while True:
        with store.write() as session:
            rows = list(_rows(session, table, last))
            total += sum(_replace(session, table, vault, row_id, sealed) for row_id, sealed in rows)
        if not rows:
            return total
        last = rows[-1][0]


def _rows(session: Session, table: Table, after: str) -> Iterator[tuple[str, bytes]]:
    (key,), secrets = table.primary_key.columns, table.c.secrets
    sealed = select(key, secrets).where(key > after, secrets.is_not(None))
    return ((row_id, value) for row_id, value in session.execute(sealed.order_by(key).limit(BATCH)))


def _replace(session: Session, table: Table, vault: Vault, row_id: str, sealed: bytes) -> int:
    """Only if nobody has put other secrets in their place meanwhile."""
    fresh = vault.reseal(sealed)
    if fresh is None:
        return 0
    (key,) = table.primary_key.columns
    unchanged = update(table).where(key == row_id, table.c.secrets == sealed)
    return changed(session, unchanged.values(secrets=fresh))
