import pytest
from cryptography.fernet import Fernet

from service.store.vault import Vault, VaultError

SECRETS = {"target": {"api_key": "sk-made-up"}, "judge": {"api_key": "schlüssel"}}


def fresh_key() -> str:
    return Fernet.generate_key().decode()


def test_what_was_sealed_opens_again() -> None:
    vault = Vault([fresh_key()])
    assert vault.open(vault.seal(SECRETS)) == SECRETS


def test_a_sealed_secret_cannot_be_read() -> None:
    sealed = Vault([fresh_key()]).seal(SECRETS)
    assert sealed
    assert b"sk-made-up" not in sealed


def test_the_same_secrets_are_sealed_differently_each_time() -> None:
    vault = Vault([fresh_key()])
    assert vault.seal(SECRETS) != vault.seal(SECRETS)


def test_the_first_key_seals() -> None:
    new, old = fresh_key(), fresh_key()
    sealed = Vault([new, old]).seal(SECRETS)
    assert Vault([new]).open(sealed) == SECRETS


def test_the_second_key_does_not_seal() -> None:
    new, old = fresh_key(), fresh_key()
    sealed = Vault([new, old]).seal(SECRETS)
    with pytest.raises(VaultError):
        Vault([old]).open(sealed)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_every_key_opens(place: int) -> None:
    old = fresh_key()
    ring = [fresh_key(), fresh_key()]
    ring.insert(place, old)
    assert Vault(ring).open(Vault([old]).seal(SECRETS)) == SECRETS


def test_a_wrong_key_is_reported_with_what_to_do() -> None:
    sealed = Vault([fresh_key()]).seal(SECRETS)
    with pytest.raises(VaultError, match="Give API and workers the same PROOFHOUSE_SECRET_KEY"):
        Vault([fresh_key()]).open(sealed)


def test_what_was_tampered_with_does_not_open() -> None:
    vault = Vault([fresh_key()])
    sealed = bytearray(vault.seal(SECRETS) or b"")
    sealed[len(sealed) // 2] ^= 1
    with pytest.raises(VaultError):
        vault.open(bytes(sealed))


@pytest.mark.parametrize("nothing", [{}, {"target": {}}, {"target": {}, "judge": {}}])
def test_nothing_to_keep_is_not_sealed(nothing: dict[str, dict[str, str]]) -> None:
    assert Vault([fresh_key()]).seal(nothing) is None


def test_nothing_sealed_opens_to_nothing() -> None:
    assert Vault([fresh_key()]).open(None) == {}


@pytest.mark.parametrize(
    "keys", [[], ["too short"], ["\N{SNOWMAN}" * 44], ["A" * 43], [Fernet.generate_key().decode(), "x"]]
)
def test_a_key_that_is_none_is_reported_with_how_to_make_one(keys: list[str]) -> None:
    with pytest.raises(VaultError, match=r"PROOFHOUSE_SECRET_KEY holds no valid Fernet key.*proofhouse keys secret"):
        Vault(keys)
