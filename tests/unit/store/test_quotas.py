from datetime import date

from service.domain.quotas import Quota
from service.store import quotas
from service.store.session import Store
from tests.unit.store.made import at_once

DAY = date(2026, 1, 31)


def test_a_quota_replaces_the_one_before(store: Store) -> None:
    with store.write() as session:
        quotas.put(session, "acme", Quota(1, 2, 3))
        quotas.put(session, "acme", Quota(active_jobs=4))
    with store.read() as session:
        assert quotas.find(session, "acme") == Quota(active_jobs=4)
        assert quotas.list_all(session) == [("acme", Quota(active_jobs=4))]


def test_a_quota_can_be_taken_away_once(store: Store) -> None:
    with store.write() as session:
        quotas.put(session, "acme", Quota())
        assert [quotas.remove(session, "acme") for _ in range(2)] == [True, False]
        assert quotas.find(session, "acme") is None


def test_cases_add_up_by_tenant_and_day(store: Store) -> None:
    with store.write() as session:
        spent = [quotas.spend(session, "acme", DAY, 3), quotas.spend(session, "acme", DAY, 4)]
        others = [quotas.spend(session, "globex", DAY, 1), quotas.spend(session, "acme", date(2026, 2, 1), 1)]
    assert spent == [3, 7]
    assert others == [1, 1]


def test_two_who_spend_at_once_see_each_other(store: Store) -> None:
    def spend() -> int:
        with store.write() as session:
            return quotas.spend(session, "acme", DAY, 1)

    assert sorted(at_once(spend, spend, spend)) == [1, 2, 3]
