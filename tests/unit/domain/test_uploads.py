"""What people send as CSV and JSON lines, and what becomes of each row."""

import csv
from io import BytesIO

import pytest

from service.domain.cases import Case
from service.domain.catalog import CATEGORIES
from service.domain.uploads import Columns, Rejected, Row, UnreadableUploadError, case_of, read_csv, read_ndjson
from service.domain.uploads.reading import MAX_LINE_BYTES


def csv_rows(text: str | bytes, needed: str = "prompt") -> list[Row | Rejected]:
    return list(read_csv(BytesIO(text if isinstance(text, bytes) else text.encode()), needed))


def prompts(rows: list[Row | Rejected]) -> list[str]:
    return [row.values["prompt"] for row in rows if isinstance(row, Row)]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_header_tells_what_parts_the_cells(delimiter: str) -> None:
    rows = csv_rows(f"prompt{delimiter}category\nHow?{delimiter}violence\n")
    assert rows == [Row(2, {"prompt": "How?", "category": "violence"})]


def test_a_byte_order_mark_is_no_part_of_the_first_name() -> None:
    assert prompts(csv_rows(b"\xef\xbb\xbfprompt,style\r\nHow?,slang\r\n")) == ["How?"]


def test_cells_may_hold_line_breaks_and_quotes_and_rows_know_the_line_they_begin_on() -> None:
    rows = csv_rows('prompt,category\n"Say ""this"":\nnow, at once",violence\nHow?,violence\n')
    assert prompts(rows) == ['Say "this":\nnow, at once', "How?"]
    assert [row.line for row in rows] == [2, 4]


def test_blank_rows_are_passed_over_and_ragged_ones_rejected() -> None:
    assert csv_rows("prompt,category\n\n,\nHow?\n") == [Rejected(4, "It has 1 cells where the header has 2.")]


@pytest.mark.parametrize(
    "text", ["", "\n", "How do I pick a lock?\n", "question,category\nHow?,violence\n", "prompt,prompt\n"]
)
def test_without_a_fitting_header_nothing_is_read(text: str) -> None:
    with pytest.raises(UnreadableUploadError, match="Line 1: The first line must name the columns"):
        csv_rows(text)


def test_lines_that_end_in_a_carriage_return_alone_are_refused_with_a_word_on_what_to_do() -> None:
    with pytest.raises(UnreadableUploadError, match=r"Line 1: .*carriage return alone.*LF"):
        csv_rows("prompt,category\rHow?,c6\r")


def test_a_name_in_the_header_may_be_as_long_as_a_line() -> None:
    csv.field_size_limit(131_072)  # as it is in a process that has read no CSV before
    assert prompts(csv_rows(f"prompt,{'a' * 200_000}\nHow?,x\n")) == ["How?"]


def test_bytes_that_are_not_utf_8_are_found_by_line() -> None:
    with pytest.raises(UnreadableUploadError, match="Line 3: it is not UTF-8"):
        csv_rows("prompt\nHow?\nDime cómo\n".encode("latin-1"))


def test_a_quote_that_is_not_closed_is_found_where_its_row_begins() -> None:
    with pytest.raises(UnreadableUploadError, match=r"Line 3: .*quotation mark"):
        csv_rows('prompt\nHow?\n"and so on\nfor ever\n')


def test_a_cell_of_ten_megabytes_is_refused_before_it_is_read() -> None:
    with pytest.raises(UnreadableUploadError, match="Line 2: it is longer than"):
        csv_rows("prompt\n" + "a" * (10 * MAX_LINE_BYTES))
    with pytest.raises(UnreadableUploadError, match=r"Line 2: the row is longer"):
        csv_rows('prompt\n"' + "a\n" * MAX_LINE_BYTES)


def test_a_row_over_many_short_lines_is_no_longer_than_a_line_may_be() -> None:
    text = "prompt\nfirst\n" + '"a\n",' * 300_000
    rows = read_csv(BytesIO(text.encode()), "prompt")
    assert next(rows) == Row(2, {"prompt": "first"})
    with pytest.raises(UnreadableUploadError, match="row is longer than") as refused:
        next(rows)
    assert refused.value.line == 3


def test_a_broken_json_line_is_rejected_and_the_others_are_read() -> None:
    file = BytesIO(b'{"prompt": "one"}\n\n{"prompt": "tw\n[1]\n"two"\n{"prompt": "three"}')
    rows = list(read_ndjson(file))
    assert prompts(rows) == ["one", "three"]
    assert [(row.line, row.reason) for row in rows if isinstance(row, Rejected)] == [
        (3, "It is not valid JSON."),
        (4, "It is not a JSON object."),
        (5, "It is not a JSON object."),
    ]


def case(columns: Columns | None = None, **values: object) -> Case | Rejected:
    return case_of(7, Row(3, {"prompt": "How?", **values}), columns or Columns())


@pytest.mark.parametrize("category", CATEGORIES.values(), ids=list(CATEGORIES))
def test_the_papers_names_of_categories_are_understood(category: object) -> None:
    for name in ("id", "astral_id", "astral_name", "title"):
        written = getattr(category, name)
        assert case(category=written) == Case(7, "How?", category.id), written  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("written", "style", "technique"),
    [("Slang", "slang", None), ("technical terms", "technical_terms", None), ("ROLE-PLAY", "role_play", None)],
)
def test_case_and_separators_do_not_matter(written: str, style: str, technique: str | None) -> None:
    assert case(style=written) == Case(7, "How?", style=style, technique=technique)


def test_the_papers_names_of_techniques_are_understood() -> None:
    assert case(technique="Evidence-based persuasion") == Case(7, "How?", technique="evidence_based")


def test_columns_can_be_mapped_and_others_are_passed_over() -> None:
    row = Row(3, {"question": "How?", "topic": "c14", "prompt": "not this", "notes": 1})
    assert case_of(0, row, Columns({"prompt": "question", "category": "topic"})) == Case(0, "How?", "violence")


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"prompt": None}, "It has no prompt."),
        ({"prompt": " \n"}, "It has no prompt."),
        ({"prompt": 7}, "It has no prompt."),
        ({"prompt": "a" * 32_769}, "The prompt has 32,769 characters; 32,768 are the most."),
        ({"prompt": "a\x00"}, "The prompt holds NUL or half a surrogate pair."),
        ({"category": "theft"}, "Unknown category 'theft'; GET /v1/catalog lists the known ones."),
        ({"style": 3}, "Unknown style '3'; GET /v1/catalog lists the known ones."),
        ({"language": "english"}, "'english' is not a language tag such as en or pt-BR."),
    ],
)
def test_a_row_that_holds_no_case_says_why(values: dict[str, object], reason: str) -> None:
    assert case(**values) == Rejected(3, reason)
