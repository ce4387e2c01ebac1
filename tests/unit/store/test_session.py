import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select, update
from sqlalchemy import text as sql
from sqlalchemy.exc import IntegrityError, OperationalError

from service.domain.roles import Role
from service.store import keys, session
from service.store.session import Store, changed, database_now
from service.store.tables import ApiKeyRow, BatchRow
from tests.unit.store.made import at_once


def names(store: Store) -> list[str]:
    with store.read() as reading:
        return sorted(key.name for key in keys.list_all(reading))


def add(store: Store, name: str) -> None:
    with store.write() as writing:
        keys.create(writing, tenant="acme", name=name, role=Role.READER)


def test_the_databases_clock_tells_the_time(store: Store) -> None:
    with store.read() as reading:
        assert reading.scalar(select(database_now())) == pytest.approx(time.time(), abs=2)


def test_the_databases_clock_goes_on_within_a_transaction(store: Store) -> None:
    with store.write() as writing:
        first = writing.scalar(select(database_now()))
        time.sleep(0.05)
        second = writing.scalar(select(database_now()))
    assert first
    assert second
    assert 0.03 < second - first < 5


def test_a_block_that_ends_is_committed(store: Store) -> None:
    add(store, "kept")
    assert names(store) == ["kept"]


def test_a_block_that_raises_is_rolled_back(store: Store) -> None:
    def add_and_fail() -> None:
        with store.write() as writing:
            keys.create(writing, tenant="acme", name="lost", role=Role.READER)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        add_and_fail()
    assert names(store) == []


def test_what_is_written_is_seen_once_it_is_committed_and_not_before(store: Store) -> None:
    with store.write() as writing:
        keys.create(writing, tenant="acme", name="new", role=Role.READER)
        assert names(store) == []
    assert names(store) == ["new"]


def test_a_conditional_change_tells_how_many_rows_it_changed(store: Store) -> None:
    for name in ("a", "a", "b"):
        add(store, name)
    with store.write() as writing:
        rename = update(ApiKeyRow).values(name="c")
        assert [changed(writing, rename.where(ApiKeyRow.name == name)) for name in ("a", "b", "x")] == [2, 1, 0]


def test_foreign_keys_are_enforced(store: Store) -> None:
    row = BatchRow(job_id="job_unknown", number=0, first=0, last=0, status="open", attempts=0)
    with store.write() as writing:
        writing.add(row)
        with pytest.raises(IntegrityError):
            writing.flush()
        writing.rollback()


@pytest.mark.parametrize("zone", ["+0000", "+0545", "-0800"])
def test_times_come_back_as_the_same_moment_in_utc(store: Store, zone: str) -> None:
    moment = datetime.strptime("2026-03-29 01:30:00.123456 " + zone, "%Y-%m-%d %H:%M:%S.%f %z")
    add(store, "a")
    with store.write() as writing:
        changed(writing, update(ApiKeyRow).values(revoked_at=moment))
    with store.read() as reading:
        read = reading.scalars(select(ApiKeyRow.revoked_at)).one()
    assert read == moment
    assert read.tzinfo is UTC


def test_a_second_sqlite_writer_waits_instead_of_failing(sqlite_url: str) -> None:
    store, holding = Store(sqlite_url), threading.Event()

    def hold() -> None:
        with store.write() as writing:
            keys.create(writing, tenant="acme", name="first", role=Role.READER)
            holding.set()
            time.sleep(0.4)

    def follow() -> None:
        holding.wait(10)
        add(store, "second")

    at_once(hold, follow)
    assert names(store) == ["first", "second"]
    store.close()


def test_sqlite_writers_that_read_first_lose_no_update(sqlite_url: str) -> None:
    store = Store(sqlite_url)
    add(store, "0")

    def count_up() -> None:
        for _ in range(10):
            with store.write() as writing:
                row = writing.scalars(select(ApiKeyRow)).one()
                row.name = str(int(row.name) + 1)

    at_once(count_up, count_up, count_up)
    assert names(store) == ["30"]
    store.close()


def test_sqlite_readers_do_not_wait_for_a_writer(sqlite_url: str) -> None:
    store = Store(sqlite_url)
    with store.write() as writing:
        keys.create(writing, tenant="acme", name="new", role=Role.READER)
        began = time.monotonic()
        names(store)
        assert time.monotonic() - began < 5
    store.close()


def test_a_sqlite_writer_waits_no_longer_than_it_should(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "BUSY_SECONDS", 0.1)
    holder, impatient = Store(sqlite_url), Store(sqlite_url)
    with holder.write() as writing:
        keys.create(writing, tenant="acme", name="held", role=Role.READER)
        with pytest.raises(OperationalError, match="locked"):
            add(impatient, "late")
    holder.close()
    impatient.close()


def test_errors_do_not_tell_what_was_to_be_stored(store: Store) -> None:
    row = {"id": "key_1", "tenant": "acme", "name": "confidential", "role": "reader", "digest": "d"}
    with store.write() as writing:
        writing.add_all([ApiKeyRow(**row, created_at=datetime.now(UTC)) for _ in range(2)])
        with pytest.raises(IntegrityError) as caught:
            writing.flush()
        writing.rollback()
    assert "confidential" not in str(caught.value)


def test_many_may_open_a_new_file_at_once(tmp_path: Path) -> None:
    def open_it(path: Path) -> str:
        store = Store(f"sqlite:///{path}")
        with store.read() as session:
            mode: str = session.scalar(sql("PRAGMA journal_mode"))
        store.close()
        return mode

    for number in range(20):
        path = tmp_path / f"{number}.db"
        assert at_once(*[lambda path=path: open_it(path)] * 8) == ["wal"] * 8
