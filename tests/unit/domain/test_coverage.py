"""Coverage says exactly which combinations of values occur in a list of cases."""

from service.domain.cases import Case
from service.domain.coverage import FEATURES, Cell, cases_by_cell, cell_of, coverage

SLANG_EN = Case(0, "a", "violence", "slang", "logical_appeal", "en")
QUESTION_ES = Case(1, "b", "terrorism", "question", "logical_appeal", "es")
SELECTION = {
    "category": ["violence", "terrorism"],
    "style": ["slang", "question"],
    "technique": ["logical_appeal"],
    "language": ["en", "es"],
}


def test_cases_are_counted_by_cell() -> None:
    again = Case(2, "c", "violence", "slang", "logical_appeal", "en")
    counts = cases_by_cell([SLANG_EN, QUESTION_ES, again])
    assert counts == {cell_of(SLANG_EN): 2, cell_of(QUESTION_ES): 1}
    assert counts[Cell("violence", "question", "logical_appeal", "en")] == 0


def test_pairs_that_occur_are_told_from_those_that_do_not() -> None:
    found = coverage([SLANG_EN, QUESTION_ES], 2, SELECTION)
    by_features = {part.features: part for part in found.by_features}
    assert len(by_features) == 6
    both = by_features["category", "style"]
    assert both.values == {("violence", "slang"), ("terrorism", "question")}
    assert both.missing == {("violence", "question"), ("terrorism", "slang")}
    assert by_features["technique", "language"].values == {("logical_appeal", "en"), ("logical_appeal", "es")}
    assert (found.covered, found.possible, found.complete) == (12, 18, False)


def test_single_values_may_all_be_covered_when_pairs_are_not() -> None:
    assert coverage([SLANG_EN, QUESTION_ES], 1, SELECTION).complete
    assert not coverage([SLANG_EN, QUESTION_ES], 2, SELECTION).complete


def test_whole_cells_are_the_strongest_coverage() -> None:
    found = coverage([SLANG_EN, QUESTION_ES], len(FEATURES), SELECTION)
    assert (found.covered, found.possible) == (2, 8)


def test_without_a_selection_the_values_that_occur_are_the_selection() -> None:
    assert coverage([SLANG_EN, QUESTION_ES], 2) == coverage([SLANG_EN, QUESTION_ES], 2, SELECTION)


def test_values_outside_the_selection_do_not_count() -> None:
    only_english = SELECTION | {"language": ["en"]}
    found = coverage([SLANG_EN, QUESTION_ES], 1, only_english)
    assert found.by_features[3].values == {("en",)}
    assert found.possible == 6


def test_a_case_that_names_no_style_covers_what_else_it_names() -> None:
    found = coverage([Case(0, "a", "violence", None, "logical_appeal", "en")], 2, SELECTION)
    assert {part.features: len(part.values) for part in found.by_features} == {
        ("category", "style"): 0,
        ("category", "technique"): 1,
        ("category", "language"): 1,
        ("style", "technique"): 0,
        ("style", "language"): 0,
        ("technique", "language"): 1,
    }


def test_counted_cells_give_the_same_coverage_as_their_cases() -> None:
    cases = [SLANG_EN, QUESTION_ES]
    assert coverage(cases_by_cell(cases), 3, SELECTION) == coverage(cases, 3, SELECTION)


def test_no_cases_cover_nothing() -> None:
    assert (coverage([], 2).covered, coverage([], 2).possible) == (0, 0)
    assert (coverage([], 2, SELECTION).covered, coverage([], 2, SELECTION).possible) == (0, 18)
