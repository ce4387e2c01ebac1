import sqlite3
import stat
import threading
from contextlib import closing
from pathlib import Path

import pytest

from service.domain.roles import Role
from service.store import keys
from service.store.session import Store
from tests.unit.cli.conftest import Run

Output = pytest.CaptureFixture[str]


@pytest.fixture
def store(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The database that the command finds, with a key in it and somebody who has it open."""
    monkeypatch.setenv("PROOFHOUSE_DATABASE_URL", sqlite_url)
    store = Store(sqlite_url)
    make_key(store, "first")
    return store


def make_key(store: Store, name: str) -> None:
    with store.write() as session:
        keys.create(session, tenant="acme", name=name, role=Role.READER)


def names(file: Path) -> list[str]:
    """The keys' names, read as anybody would who has nothing but the file."""
    with closing(sqlite3.connect(f"file:{file}?immutable=1", uri=True)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return [name for (name,) in connection.execute("SELECT name FROM api_keys ORDER BY name")]


def test_a_backup_is_one_file_of_its_owners_alone_with_all_that_was_committed(
    store: Store, proofhouse: Run, tmp_path: Path
) -> None:
    file = tmp_path / "backups" / "copy.db"
    file.parent.mkdir()
    assert proofhouse("db", "backup", str(file)) == 0
    make_key(store, "later")
    assert names(file) == ["first"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(file.parent.iterdir()) == [file]


def test_a_backup_waits_for_no_writer_and_holds_nothing_of_what_is_not_committed(
    store: Store, proofhouse: Run, tmp_path: Path
) -> None:
    with store.write() as session:
        keys.create(session, tenant="acme", name="uncommitted", role=Role.READER)
        session.flush()
        done = threading.Thread(target=proofhouse, args=("db", "backup", str(tmp_path / "copy.db")))
        done.start()
        done.join(10)
        assert not done.is_alive()
    assert names(tmp_path / "copy.db") == ["first"]


def test_a_backup_takes_no_other_files_place(store: Store, proofhouse: Run, tmp_path: Path, capsys: Output) -> None:
    (tmp_path / "copy.db").write_text("last night's")
    assert proofhouse("db", "backup", str(tmp_path / "copy.db")) == 2
    assert "is there already" in capsys.readouterr().err
    assert (tmp_path / "copy.db").read_text() == "last night's"


def test_a_backup_that_fails_leaves_nothing(store: Store, proofhouse: Run, tmp_path: Path, capsys: Output) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    Path(str(store.url.database)).write_bytes(b"no database at all" * 1000)
    store.close()
    assert proofhouse("db", "backup", str(folder / "copy.db")) == 4
    assert "not a database" in capsys.readouterr().err
    assert list(folder.iterdir()) == []


def test_a_database_that_is_not_there_is_not_backed_up_as_an_empty_one(
    proofhouse: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    monkeypatch.setenv("PROOFHOUSE_DATABASE_URL", f"sqlite:///{tmp_path}/mistyped.db")
    assert proofhouse("db", "backup", str(tmp_path / "copy.db")) == 2
    assert "There is no database" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_postgresql_is_left_to_its_own_tool(
    proofhouse: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    monkeypatch.setenv("PROOFHOUSE_DATABASE_URL", "postgresql+psycopg://nobody@127.0.0.1:1/none")
    assert proofhouse("db", "backup", str(tmp_path / "copy.dump")) == 2
    assert "pg_dump" in capsys.readouterr().err
