"""Keys, quotas and secrets on the command line, and what the audit log has of it."""

import json
import os
import pwd
from datetime import timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet

from service.domain.quotas import Quota
from service.domain.roles import Role
from service.domain.specs import PluginSpec
from service.store import audit, keys, quotas, stored_targets
from service.store.audit import Entry, EntryFilter
from service.store.session import Store
from service.store.vault import Vault
from tests.unit.cli.conftest import Run

Output = pytest.CaptureFixture[str]


@pytest.fixture
def store(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The database that the commands work on."""
    monkeypatch.setenv("PROOFHOUSE_DATABASE_URL", sqlite_url)
    return Store(sqlite_url)


def create(proofhouse: Run, capsys: Output, *options: str) -> dict[str, Any]:
    arguments = ("--tenant", "acme", "--role", "reader", "--name", "ci", "--json")
    assert proofhouse("keys", "create", *arguments, *options) == 0
    made: dict[str, Any] = json.loads(capsys.readouterr().out)
    return made


def entries(store: Store) -> list[Entry]:
    with store.read() as session:
        return audit.page(session, "acme", EntryFilter(), after=None, limit=10)


def log(store: Store) -> list[tuple[str, str | None]]:
    return [(entry.operation, entry.object_id) for entry in entries(store)]


def test_the_list_shows_role_expiry_and_last_use(store: Store, proofhouse: Run, capsys: Output) -> None:
    made = create(proofhouse, capsys, "--expires", "90d")
    assert made["expires_at"]
    proofhouse("keys", "list")
    line = capsys.readouterr().out
    assert all(words in line for words in ("reader", f"valid until {made['expires_at'][:10]}", "never used"))
    with store.write() as session:
        keys.note_use(session, made["id"])
    proofhouse("keys", "list")
    assert "last used 2" in capsys.readouterr().out
    store.close()


@pytest.mark.parametrize("expires", ["90", "d", "-1d", "1.5h", "90 d", "9999999d"])
def test_a_duration_is_a_number_and_a_unit(store: Store, proofhouse: Run, expires: str) -> None:
    assert proofhouse("keys", "create", "--tenant", "a", "--role", "reader", "--name", "n", "--expires", expires) == 2
    store.close()


def test_a_rotated_key_is_shown_once(store: Store, proofhouse: Run, capsys: Output) -> None:
    made = create(proofhouse, capsys)
    assert proofhouse("keys", "rotate", made["id"], "--overlap", "1h") == 0
    fresh = capsys.readouterr().out.strip()
    with store.read() as session:
        both = [keys.find(session, key) for key in (made["key"], fresh)]
    assert [key and key.id for key in both] == [made["id"]] * 2
    assert proofhouse("keys", "rotate", "key_unknown") == 2
    store.close()


def test_commands_on_keys_and_quotas_are_in_the_audit_log(store: Store, proofhouse: Run, capsys: Output) -> None:
    key_id = create(proofhouse, capsys)["id"]
    for command in (("keys", "rotate", key_id), ("keys", "revoke", key_id), ("quotas", "set", "acme")):
        assert proofhouse(*command) == 0
    assert proofhouse("quotas", "unset", "acme") == 0
    commands = ["quotas unset", "quotas set", "keys revoke", "keys rotate", "keys create"]
    assert log(store) == list(zip(commands, [None, None, key_id, key_id, key_id], strict=True))
    store.close()


def test_the_audit_log_says_what_a_command_was_about_and_who_gave_it(
    store: Store, proofhouse: Run, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "somebody-else")
    made = create(proofhouse, capsys, "--expires", "90d")
    proofhouse("keys", "rotate", made["id"], "--overlap", "1h")
    proofhouse("quotas", "set", "acme", "--active-jobs", "2")
    user = {"os_user": pwd.getpwuid(os.getuid()).pw_name}
    key = {"role": "reader", "expires_at": made["expires_at"]}
    assert [entry.details for entry in entries(store)] == [
        {**user, "requests_per_minute": None, "active_jobs": 2, "cases_per_day": None},
        {**user, **key, "overlap_seconds": 3600},
        {**user, **key},
    ]
    assert made["key"] not in str(entries(store))
    store.close()


def test_a_key_that_has_expired_is_not_rotated(store: Store, proofhouse: Run, capsys: Output) -> None:
    with store.write() as session:
        expired, _ = keys.create(session, tenant="acme", name="ci", role=Role.READER, lifetime=timedelta(seconds=-1))
    assert proofhouse("keys", "rotate", expired.id) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert "expired on" in output.err
    assert "make another key" in output.err
    assert log(store) == []
    store.close()


def test_a_quota_is_set_listed_and_unset(store: Store, proofhouse: Run, capsys: Output) -> None:
    assert proofhouse("quotas", "set", "acme", "--active-jobs", "2", "--cases-per-day", "1000") == 0
    with store.read() as session:
        assert quotas.find(session, "acme") == Quota(None, 2, 1000)
    capsys.readouterr()
    proofhouse("quotas", "list")
    assert capsys.readouterr().out == "acme  requests per minute unlimited, active jobs 2, cases per day 1000\n"
    assert [proofhouse("quotas", "unset", "acme") for _ in range(2)] == [0, 2]
    store.close()


def test_secrets_are_brought_under_the_first_key(
    store: Store, proofhouse: Run, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = (Fernet.generate_key().decode() for _ in range(2))
    with store.write() as session:
        sealed = Vault([old]).seal({"target": {"api_key": "sk"}})
        target = stored_targets.create(session, "acme", "t", PluginSpec("scripted"), sealed)
        keys.create(session, tenant="acme", name="ci", role=Role.READER)
    monkeypatch.setenv("PROOFHOUSE_REDIS_URL", "redis://127.0.0.1:1")
    monkeypatch.setenv("PROOFHOUSE_SECRET_KEY", f"{new},{old}")
    assert proofhouse("secrets", "rotate") == 0
    assert capsys.readouterr().out.startswith("Encrypted 1 again.")
    assert log(store) == [("secrets rotate", None)]
    with store.read() as session:
        assert Vault([new]).open(stored_targets.sealed_secrets(session, target.id)) == {"target": {"api_key": "sk"}}
    store.close()
