from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text as sql
from sqlalchemy import update

from service.domain.roles import Role
from service.store import keys
from service.store.keys import ApiKey
from service.store.session import Store
from service.store.tables import ApiKeyRow


def made(store: Store, tenant: str = "acme", name: str = "ci", role: Role = Role.READER) -> tuple[ApiKey, str]:
    with store.write() as session:
        return keys.create(session, tenant=tenant, name=name, role=role)


def found(store: Store, key: str) -> ApiKey | None:
    with store.read() as session:
        return keys.find(session, key)


@pytest.mark.parametrize("role", Role)
def test_a_key_speaks_for_what_it_was_made_for(store: Store, role: Role) -> None:
    api_key, key = made(store, "acme", "ci", role)
    assert found(store, key) == api_key
    assert (api_key.tenant, api_key.name, api_key.role, api_key.revoked_at) == ("acme", "ci", role, None)


def test_the_key_itself_is_stored_nowhere(store: Store) -> None:
    _, key = made(store)
    with store.read() as session:
        row = session.execute(sql("SELECT * FROM api_keys")).one()
    assert key.removeprefix("ph_") not in repr(row)


def test_every_key_is_another(store: Store) -> None:
    assert len({made(store)[1] for _ in range(5)}) == 5


@pytest.mark.parametrize("key", ["", "ph_", "ph_unknown", "\x00", "ключ"])
def test_an_unknown_key_speaks_for_nobody(store: Store, key: str) -> None:
    made(store)
    assert found(store, key) is None


def test_the_stored_digest_is_no_key(store: Store) -> None:
    made(store)
    with store.read() as session:
        digest = session.execute(sql("SELECT digest FROM api_keys")).scalar_one()
    assert found(store, digest) is None


def test_a_revoked_key_speaks_for_nobody(store: Store) -> None:
    api_key, key = made(store)
    with store.write() as session:
        assert keys.revoke(session, api_key.id)
    assert found(store, key) is None


def test_revoking_one_key_leaves_the_others(store: Store) -> None:
    (first, _), (second, key) = made(store), made(store)
    with store.write() as session:
        keys.revoke(session, first.id)
    assert found(store, key) == second


def test_a_key_is_revoked_once(store: Store) -> None:
    api_key, _ = made(store)
    with store.write() as session:
        assert [keys.revoke(session, api_key.id) for _ in range(2)] == [True, False]


def test_an_unknown_key_cannot_be_revoked(store: Store) -> None:
    with store.write() as session:
        assert not keys.revoke(session, "key_unknown")


def test_keys_of_all_tenants_are_listed_oldest_first_revoked_ones_too(store: Store) -> None:
    made_keys = [made(store, tenant)[0] for tenant in ("b", "a", "c")]
    with store.write() as session:
        keys.revoke(session, made_keys[0].id)
    with store.read() as session:
        listed = keys.list_all(session)
    assert [key.id for key in listed] == [key.id for key in made_keys]
    assert [key.revoked_at is not None for key in listed] == [True, False, False]


def shift(store: Store, **times: datetime) -> None:
    """Set times of every key, as if time had passed."""
    with store.write() as session:
        session.execute(update(ApiKeyRow).values(times))


def ago(**span: float) -> datetime:
    return datetime.now(UTC) - timedelta(**span)


def rotated(store: Store, key_id: str, **overlap: float) -> str:
    with store.write() as session:
        fresh = keys.rotate(session, key_id, timedelta(**overlap))
    assert fresh
    return fresh


def test_a_key_speaks_until_it_expires(store: Store) -> None:
    with store.write() as session:
        api_key, key = keys.create(session, tenant="a", name="n", role=Role.READER, lifetime=timedelta(days=90))
    assert api_key.expires_at == api_key.created_at + timedelta(days=90)
    assert found(store, key) == api_key
    shift(store, expires_at=ago(seconds=1))
    assert found(store, key) is None


def test_a_rotated_key_is_the_same_key_with_another_secret(store: Store) -> None:
    api_key, key = made(store)
    fresh = rotated(store, api_key.id)
    assert found(store, fresh) == api_key
    assert found(store, key) is None


def test_the_secret_before_holds_for_the_overlap(store: Store) -> None:
    api_key, key = made(store)
    rotated(store, api_key.id, hours=1)
    assert found(store, key) == api_key
    shift(store, previous_until=ago(seconds=1))
    assert found(store, key) is None


def test_only_the_last_secret_before_holds(store: Store) -> None:
    api_key, first = made(store)
    second = rotated(store, api_key.id, hours=1)
    third = rotated(store, api_key.id, hours=1)
    assert [found(store, key) for key in (first, second, third)] == [None, api_key, api_key]


def test_revoking_ends_the_secret_before_too(store: Store) -> None:
    api_key, key = made(store)
    fresh = rotated(store, api_key.id, hours=1)
    with store.write() as session:
        keys.revoke(session, api_key.id)
        assert keys.rotate(session, api_key.id, timedelta()) is None
    assert [found(store, key), found(store, fresh)] == [None, None]


def test_an_unknown_key_cannot_be_rotated(store: Store) -> None:
    with store.write() as session:
        assert keys.rotate(session, "key_unknown", timedelta()) is None


def test_its_use_is_noted_once_a_minute(store: Store) -> None:
    api_key, key = made(store)
    assert api_key.use_is_due

    def used() -> datetime | None:
        with store.write() as session:
            keys.note_use(session, api_key.id)
        known = found(store, key)
        return known and known.last_used_at

    first = used()
    assert first
    assert used() == first
    shift(store, last_used_at=ago(seconds=61))
    later = used()
    assert later
    assert later > ago(seconds=30)
