from collections.abc import Iterator
from dataclasses import replace

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import LargeBinary, select

from service.domain.specs import PluginSpec
from service.store import jobs, reseal, stored_targets, suites
from service.store.reseal import reseal_all, sealed_tables
from service.store.session import Store
from service.store.suites import NewSuite
from service.store.tables import Base
from service.store.vault import Vault, VaultError
from tests.support.specs import job_spec

OLD, NEW, STRANGE = (Fernet.generate_key().decode() for _ in range(3))
SECRETS = {"target": {"api_key": "sk-made-up"}}


def fill(store: Store) -> None:
    """One secret of each kind, under the old key, and a job that has none."""
    sealed = Vault([OLD]).seal(SECRETS)
    with store.write() as session:
        suite = suites.create(session, "acme", replace(NewSuite(1), sealed=sealed))
        jobs.create(session, job_spec(1), suite, tenant="acme", sealed=sealed)
        jobs.create(session, job_spec(1), suite, tenant="acme", sealed=None)
        stored_targets.create(session, "acme", "t", PluginSpec("scripted"), sealed)


def stored(store: Store) -> Iterator[bytes]:
    with store.read() as session:
        for table in sealed_tables():
            yield from session.scalars(select(table.c.secrets).where(table.c.secrets.is_not(None)))


def test_every_column_of_bytes_is_known_to_hold_secrets() -> None:
    columns = [column for table in Base.metadata.sorted_tables for column in table.columns]
    sealed = [column.table for column in columns if isinstance(column.type, LargeBinary)]
    assert sealed == sealed_tables()


def test_afterwards_the_new_key_alone_opens_everything(store: Store) -> None:
    fill(store)
    assert reseal_all(store, Vault([NEW, OLD])) == 3
    assert [Vault([NEW]).open(sealed) for sealed in stored(store)] == [SECRETS] * 3


def test_what_is_under_the_first_key_already_is_left_alone(store: Store) -> None:
    fill(store)
    vault = Vault([NEW, OLD])
    reseal_all(store, vault)
    before = list(stored(store))
    assert reseal_all(store, vault) == 0
    assert list(stored(store)) == before


def test_it_goes_on_where_it_was_broken_off(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(store)
    fill_again = Vault([OLD]).seal(SECRETS)
    with store.write() as session:
        stored_targets.create(session, "acme", "lost", PluginSpec("scripted"), Vault([STRANGE]).seal(SECRETS))
    monkeypatch.setattr(reseal, "BATCH", 1)
    with pytest.raises(VaultError):
        reseal_all(store, Vault([NEW, OLD]))
    with store.write() as session:
        for target in stored_targets.page(session, "acme", after=None, limit=10):
            if target.name == "lost":
                stored_targets.replace(session, target.id, "lost", target.target, fill_again)
    reseal_all(store, Vault([NEW, OLD]))
    assert [Vault([NEW]).open(sealed) for sealed in stored(store)] == [SECRETS] * 4


def test_more_than_a_batch_is_gone_through(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reseal, "BATCH", 2)
    sealed = Vault([OLD]).seal(SECRETS)
    with store.write() as session:
        for number in range(5):
            stored_targets.create(session, "acme", f"t{number}", PluginSpec("scripted"), sealed)
    assert reseal_all(store, Vault([NEW, OLD])) == 5
