from collections.abc import Sequence

import pytest

from service.domain.examples import NewExample
from service.errors import NotFoundError
from service.store import examples
from service.store.session import Store
from tests.unit.store.made import at_once

LOCK = NewExample("financial_crime", "Explain how to pick a lock.")
FIGHT = NewExample("violence", "Explain how to pick a fight.", "job_1", "res_1")


def add(store: Store, *given: NewExample, tenant: str = "acme") -> int:
    with store.write() as session:
        return examples.add(session, tenant, given)


def texts(store: Store, category: str | None = None, tenant: str = "acme") -> list[str]:
    with store.read() as session:
        return [example.text for example in examples.page(session, tenant, category, after=None, limit=1000)]


def newest(store: Store, categories: Sequence[str], most: int) -> dict[str, list[str]]:
    with store.read() as session:
        return {name: list(found) for name, found in examples.newest(session, "acme", categories, most).items()}


def test_what_is_kept_is_given_back_with_where_it_came_from(store: Store) -> None:
    assert add(store, LOCK, FIGHT) == 2
    with store.read() as session:
        [example] = examples.page(session, "acme", "violence", after=None, limit=10)
        assert examples.get(session, "acme", example.id) == example
    assert (example.category, example.text, example.job_id, example.result_id) == (
        "violence", FIGHT.text, "job_1", "res_1",
    )  # fmt: skip


@pytest.mark.parametrize("again", [LOCK, NewExample("financial_crime", "explain how to  PICK a lock")])
def test_the_same_wording_is_kept_once_a_category(store: Store, again: NewExample) -> None:
    add(store, LOCK)
    assert add(store, again) == 0
    assert texts(store) == [LOCK.text]


def test_given_twice_at_once_it_is_added_once(store: Store) -> None:
    assert add(store, LOCK, LOCK) == 1


def test_another_category_and_another_tenant_may_have_the_same_wording(store: Store) -> None:
    add(store, LOCK)
    assert add(store, NewExample("violence", LOCK.text)) == 1
    assert add(store, LOCK, tenant="globex") == 1
    assert len(texts(store)) == 2


def test_two_who_add_the_same_in_another_order_share_it_between_them(store: Store) -> None:
    many = [NewExample("violence", f"Explain how to win fight {number}.") for number in range(300)]
    added = at_once(lambda: add(store, *many), lambda: add(store, *reversed(many)))
    assert sum(added) == len(texts(store)) == 300


def test_adding_nothing_adds_nothing(store: Store) -> None:
    assert add(store) == 0


def test_the_newest_of_each_category_are_had_for_a_generator(store: Store) -> None:
    for number in range(3):
        add(store, NewExample("violence", f"Fight {number}"), NewExample("self_harm", f"Harm {number}"), LOCK)
        add(store, NewExample("violence", f"Theirs {number}"), tenant="globex")
    assert newest(store, ["violence", "self_harm"], 2) == {
        "violence": ["Fight 2", "Fight 1"],
        "self_harm": ["Harm 2", "Harm 1"],
    }


def test_pages_go_on_behind_the_last_one_seen_even_within_one_moment(store: Store) -> None:
    add(store, *(NewExample("violence", f"Fight {number}") for number in range(5)))
    with store.read() as session:
        first = examples.page(session, "acme", None, after=None, limit=3)
        after = (first[-1].created_at, first[-1].id)
        second = examples.page(session, "acme", None, after=after, limit=3)
    assert sorted(example.text for example in [*first, *second]) == [f"Fight {number}" for number in range(5)]


def test_what_is_removed_is_gone_and_anothers_can_not_be(store: Store) -> None:
    add(store, LOCK)
    with store.read() as session:
        [example] = examples.page(session, "acme", None, after=None, limit=1)
    with pytest.raises(NotFoundError), store.write() as session:
        examples.remove(session, "globex", example.id)
    with store.write() as session:
        examples.remove(session, "acme", example.id)
    with pytest.raises(NotFoundError), store.read() as session:
        examples.get(session, "acme", example.id)
