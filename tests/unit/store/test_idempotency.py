from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from service.store import idempotency
from service.store.idempotency import KEPT
from service.store.session import Store
from service.store.tables import IdempotencyRow
from tests.unit.store.made import at_once


def remember(store: Store, key: str = "k", tenant: str = "acme", made: str = "job_1") -> None:
    with store.write() as session:
        idempotency.remember(session, tenant, key, "digest", made)


def find(store: Store, key: str = "k", tenant: str = "acme") -> tuple[str, str] | None:
    with store.read() as session:
        return idempotency.find(session, tenant, key)


def grow_old(store: Store, age: timedelta) -> None:
    with store.write() as session:
        session.execute(update(IdempotencyRow).values(created_at=datetime.now(UTC) - age))


def test_a_key_is_found_with_what_it_was_used_for(store: Store) -> None:
    remember(store)
    assert find(store) == ("digest", "job_1")


def test_an_unused_key_is_not_found(store: Store) -> None:
    remember(store)
    assert find(store, "other") is None


def test_another_tenants_key_is_not_found(store: Store) -> None:
    remember(store)
    assert find(store, tenant="other") is None


def test_two_tenants_may_use_the_same_key(store: Store) -> None:
    remember(store, tenant="acme", made="job_1")
    remember(store, tenant="other", made="job_2")
    assert find(store, tenant="other") == ("digest", "job_2")


def test_a_key_is_used_once(store: Store) -> None:
    remember(store)
    with pytest.raises(IntegrityError):
        remember(store, made="job_2")


def test_of_several_at_once_one_uses_the_key(store: Store) -> None:
    def use(job_id: str) -> bool:
        try:
            remember(store, made=job_id)
        except IntegrityError:
            return False
        return True

    assert sorted(at_once(*(lambda n=n: use(f"job_{n}") for n in range(3)))) == [False, False, True]


def test_a_key_is_forgotten_after_a_day_and_not_before(store: Store) -> None:
    remember(store, "old")
    grow_old(store, KEPT + timedelta(minutes=1))
    remember(store, "young")
    with store.write() as session:
        assert idempotency.forget_old(session) == 1
    assert find(store, "young")


@pytest.mark.parametrize(("age", "known"), [(timedelta(hours=23), True), (timedelta(hours=25), False)])
def test_a_key_counts_for_a_day_even_if_nobody_tidies_up(store: Store, age: timedelta, known: bool) -> None:
    remember(store)
    grow_old(store, age)
    assert (find(store) is not None) is known


def test_a_key_of_the_day_before_may_be_used_again_even_if_nobody_tidies_up(store: Store) -> None:
    remember(store)
    grow_old(store, KEPT + timedelta(minutes=1))
    remember(store, made="job_2")
    assert find(store) == ("digest", "job_2")
