"""Reading JSON bodies: what it costs."""

import json
import tracemalloc

import pytest

from service.api.body import InvalidJsonError, TooManyValuesError, parse_json
from service.errors import InvalidError


def test_a_long_name_costs_no_more_for_many_members() -> None:
    body = b'{"%s": [%s "\\u0000"]}' % (b"n" * 60_000, b"[]," * 8000)
    tracemalloc.start()
    with pytest.raises(InvalidError) as refused:
        parse_json(body)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert refused.value.errors[0][0] == f"/{'n' * 60_000}/8000"
    assert peak < 5_000_000


def test_an_object_of_very_many_fields_is_refused() -> None:
    assert len(parse_json(json.dumps({f"f{n}": n for n in range(1024)}).encode())) == 1024
    with pytest.raises(InvalidJsonError, match="more than 1024 fields"):
        parse_json(json.dumps({f"f{n}": n for n in range(1025)}).encode())


@pytest.mark.parametrize("value", ["[]", "{}", "1"])
def test_a_body_of_very_many_values_is_refused_before_it_is_read(value: str) -> None:
    body = f"[{', '.join([value] * 250_001)}]".encode()
    tracemalloc.start()
    with pytest.raises(TooManyValuesError):
        parse_json(body)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2 * len(body)


def test_a_body_may_have_as_many_values_as_it_says() -> None:
    assert len(parse_json(f"[{','.join(['1'] * 250_000)}]".encode())) == 250_000
    with pytest.raises(TooManyValuesError):
        parse_json(f"[{','.join(['1'] * 250_001)}]".encode())


def test_signs_in_texts_are_no_values() -> None:
    assert parse_json(json.dumps(['{"[,' * 100_000 + "\\"]).encode()) == ['{"[,' * 100_000 + "\\"]
