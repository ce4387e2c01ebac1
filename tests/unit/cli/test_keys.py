import json
import stat
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from service.cli.keyfiles import ensure_admin_key, ensure_secret_key, write_private
from service.domain.roles import Role
from service.store import keys
from service.store.session import Store
from tests.unit.cli.conftest import Run

Output = pytest.CaptureFixture[str]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_private_file_is_its_owners_alone_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    write_private(tmp_path / "secret.key", "text")
    assert mode(tmp_path / "secret.key") == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["secret.key"]


def test_what_a_crash_left_half_written_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / "secret.key.part").write_text("ha")
    Fernet(ensure_secret_key(tmp_path / "secret.key"))


def test_the_secret_key_is_made_once(tmp_path: Path) -> None:
    first = ensure_secret_key(tmp_path / "secret.key")
    (tmp_path / "secret.key").chmod(0o644)
    assert ensure_secret_key(tmp_path / "secret.key") == first
    assert mode(tmp_path / "secret.key") == 0o600


def test_the_admin_key_is_made_once(tmp_path: Path, sqlite_url: str) -> None:
    store = Store(sqlite_url)
    ensure_admin_key(tmp_path / "admin.key", store)
    first = (tmp_path / "admin.key").read_text()
    ensure_admin_key(tmp_path / "admin.key", store)
    assert (tmp_path / "admin.key").read_text() == first
    assert mode(tmp_path / "admin.key") == 0o600
    with store.read() as session:
        known = keys.find(session, first.strip())
    assert known
    assert (known.role, known.tenant) == (Role.ADMIN, "default")
    store.close()


def test_another_database_gets_an_admin_key_of_its_own(tmp_path: Path, sqlite_url: str) -> None:
    write_private(tmp_path / "admin.key", "ph_of_a_database_that_is_gone")
    store = Store(sqlite_url)
    ensure_admin_key(tmp_path / "admin.key", store)
    with store.read() as session:
        assert keys.find(session, (tmp_path / "admin.key").read_text().strip())
    store.close()


def test_keys_are_made_listed_and_revoked(
    sqlite_url: str, proofhouse: Run, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    monkeypatch.setenv("PROOFHOUSE_DATABASE_URL", sqlite_url)
    assert proofhouse("keys", "create", "--tenant", "acme", "--role", "reader", "--name", "ci", "--json") == 0
    made = json.loads(capsys.readouterr().out)
    assert made["key"].startswith("ph_")
    assert proofhouse("keys", "list") == 0
    listed = capsys.readouterr().out
    assert made["id"] in listed
    assert made["key"] not in listed
    assert proofhouse("keys", "revoke", made["id"]) == 0
    assert proofhouse("keys", "revoke", made["id"]) == 2
    capsys.readouterr()
    proofhouse("keys", "list", "--json")
    assert json.loads(capsys.readouterr().out)["revoked_at"]


def test_without_a_database_it_says_so(
    proofhouse: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Output
) -> None:
    monkeypatch.delenv("PROOFHOUSE_DATABASE_URL", raising=False)
    monkeypatch.setenv("PROOFHOUSE_DATA_DIR", str(tmp_path))
    assert proofhouse("keys", "list") == 2
    assert "PROOFHOUSE_DATABASE_URL is not set" in capsys.readouterr().err


def test_a_database_out_of_reach_is_infrastructure(
    proofhouse: Run, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    monkeypatch.setenv("PROOFHOUSE_DATABASE_URL", "postgresql+psycopg://nobody@127.0.0.1:1/none")
    assert proofhouse("keys", "list") == 4
    assert "The database could not be used" in capsys.readouterr().err


def test_a_secret_is_a_fernet_key(proofhouse: Run, capsys: Output) -> None:
    assert proofhouse("keys", "secret") == 0
    Fernet(capsys.readouterr().out.strip())
