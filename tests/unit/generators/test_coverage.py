"""The walks through the matrix meet every cell once, and spread any beginning evenly."""

from collections import Counter
from itertools import combinations
from math import prod

from hypothesis import given, settings
from hypothesis import strategies as st

from service.generators.coverage import cell_at, diagonal, draw, sample, shuffled

sizes = st.integers(1, 14)


@given(rows=sizes, columns=sizes)
def test_diagonal_meets_every_place_once(rows: int, columns: int) -> None:
    places = [diagonal(step, rows, columns) for step in range(rows * columns)]
    assert sorted(places) == [(row, column) for row in range(rows) for column in range(columns)]


@given(lengths=st.tuples(sizes, st.integers(1, 6), st.integers(1, 5), st.integers(1, 4)))
@settings(deadline=None)  # walks up to 1,680 cells, whatever the machine
def test_cells_are_met_once_and_every_beginning_is_even(lengths: tuple[int, int, int, int]) -> None:
    cells = [cell_at(step, *lengths) for step in range(prod(lengths))]
    assert len(set(cells)) == len(cells)
    for feature, length in enumerate(lengths):
        met = Counter(dict.fromkeys(range(length), 0))
        for cell in cells:
            met[cell[feature]] += 1
            assert max(met.values()) - min(met.values()) <= 1


def test_a_short_beginning_of_the_whole_matrix_pairs_all_features() -> None:
    cells = [cell_at(step, 14, 6, 5) for step in range(84)]
    assert len({(category, style) for category, style, *_ in cells}) == 14 * 6
    assert len({(category, technique) for category, _, technique, _ in cells[:70]}) == 14 * 5
    assert len({(style, technique) for _, style, technique, _ in cells[:30]}) == 6 * 5


def test_a_short_beginning_in_three_languages_pairs_languages_with_all_features() -> None:
    cells = [cell_at(step, 14, 6, 5, 3) for step in range(98)]
    assert len({(category, language) for category, _, _, language in cells}) == 14 * 3
    assert len({(style, language) for _, style, _, language in cells[:18]}) == 6 * 3
    assert len({(technique, language) for *_, technique, language in cells[:22]}) == 5 * 3


@given(
    lengths=st.tuples(sizes, st.integers(1, 6), st.integers(1, 5), st.integers(1, 3)),
    strength=st.sampled_from([2, 3]),
    seed=st.integers(0, 2**63 - 1),
)
@settings(deadline=None, max_examples=25)  # up to a tenth of a second each
def test_a_sample_holds_every_combination_and_no_cell_twice(
    lengths: tuple[int, int, int, int], strength: int, seed: int
) -> None:
    cells = sample(lengths, strength, seed)
    assert len(set(cells)) == len(cells) <= prod(lengths)
    for features in combinations(range(4), strength):
        assert len({tuple(cell[one] for one in features) for cell in cells}) == prod(lengths[one] for one in features)


@given(seed=st.integers(0, 2**63 - 1))
def test_shuffled_keeps_all_items(seed: int) -> None:
    assert sorted(shuffled(range(30), seed)) == list(range(30))


def test_draws_are_the_same_for_ever() -> None:
    assert [draw(0), draw(1, 7), draw(2, "violence", 7)] == [
        14421525015532014153,
        3720930443342878832,
        1608608691068135988,
    ]
    assert shuffled("abcdef", 7) == list("bfadec")
