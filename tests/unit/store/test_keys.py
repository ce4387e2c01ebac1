import pytest
from sqlalchemy import text as sql

from service.domain.roles import Role
from service.store import keys
from service.store.keys import ApiKey
from service.store.session import Store


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
