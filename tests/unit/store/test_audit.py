from dataclasses import replace

import pytest
from sqlalchemy import text as sql

from service.store import audit
from service.store.audit import Entry, EntryFilter
from service.store.migrate import upgrade
from service.store.protection import REFUSAL
from service.store.session import Store


def written(store: Store, **fields: str) -> Entry:
    with store.write() as session:
        return audit.add(session, replace(Entry("acme", "jobs_create", status=202), **fields))


def read(store: Store) -> list[Entry]:
    with store.read() as session:
        return audit.page(session, "acme", EntryFilter(), after=None, limit=10)


@pytest.mark.parametrize("statement", ["UPDATE audit SET status = 0", "DELETE FROM audit"])
def test_the_database_refuses_to_change_it(store: Store, statement: str) -> None:
    entry = written(store)
    with pytest.raises(Exception, match=REFUSAL), store.write() as session:
        session.execute(sql(statement))
    assert read(store) == [entry]


INSERTED = "INSERT INTO audit (id, created_at, tenant, operation, status, details)"
VALUES = "VALUES (:id, CURRENT_TIMESTAMP, 'acme', 'forged', 0, '{}')"


@pytest.mark.parametrize("on_conflict", ["DO UPDATE SET operation = 'forged'", "OR REPLACE", "OR REPLACE by rowid"])
def test_the_database_refuses_to_put_another_entry_in_ones_place(store: Store, on_conflict: str) -> None:
    entry = written(store)
    if on_conflict.startswith("DO"):
        statement = f"{INSERTED} {VALUES} ON CONFLICT (id) {on_conflict}"
    elif store.is_sqlite:
        statement = f"{INSERTED.replace('INSERT', 'INSERT OR REPLACE')} {VALUES}"
        statement = statement.replace("(id,", "(rowid,") if "rowid" in on_conflict else statement
    else:
        pytest.skip("a statement of SQLite's own")
    with pytest.raises(Exception, match=REFUSAL), store.write() as session:
        session.execute(sql(statement), {"id": entry.number})
    assert read(store) == [entry]


def test_entries_are_still_added_to_it(store: Store) -> None:
    entries = [written(store) for _ in range(3)]
    assert read(store) == entries[::-1]


def test_it_can_not_be_emptied_at_once(store: Store) -> None:
    entry = written(store)
    if not store.is_sqlite:  # which has no TRUNCATE
        with pytest.raises(Exception, match=REFUSAL), store.write() as session:
            session.execute(sql("TRUNCATE audit"))
    assert read(store) == [entry]


def test_an_upgrade_sets_up_the_protection_again(store: Store) -> None:
    drop = "DROP TRIGGER audit_no_delete" if store.is_sqlite else "DROP TRIGGER audit_no_change ON audit"
    with store.write() as session:
        session.execute(sql(drop))
    upgrade(store)
    entry = written(store)
    with pytest.raises(Exception, match=REFUSAL), store.write() as session:
        session.execute(sql("DELETE FROM audit"))
    assert read(store) == [entry]


def test_an_id_that_a_client_made_up_is_cut(store: Store) -> None:
    assert written(store, object_id="x" * 1000).object_id == "x" * audit.MAX_ID
