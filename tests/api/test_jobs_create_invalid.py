"""POST /v1/jobs: what is refused, and how the answer says so."""

import json
from contextlib import ExitStack
from typing import Any

import pytest
from flask.testing import FlaskClient

from service.api import payload
from service.errors import SlowRequestError
from tests.api.conftest import assert_problem, pointers, spec

URL, KEY = "http://127.0.0.1:9/v1", "m"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One database: what is refused here never reaches it."""
    return sqlite_url


def openai(**options: Any) -> dict[str, Any]:
    return {"type": "openai", "base_url": URL, "model": KEY, **options}


def hook(**fields: Any) -> dict[str, Any]:
    return {"url": "https://example.org", "secret": "a secret", **fields}


BODIES: dict[str, tuple[Any, str]] = {
    "no object": ([], ""),
    "an unknown field": (spec(colour="red"), "/colour"),
    "no target": ({"suite": {"cases": [{"prompt": "p"}]}}, "/target"),
    "no suite": ({"target": openai()}, "/suite"),
    "null for a target": (spec(target=None), "/target"),
    "a target that is no object": (spec(target="openai"), "/target"),
    "a target with no type": (spec(target={}), "/target/type"),
    "an unknown type": (spec(target={"type": "oracle"}), "/target/type"),
    "a type that is no string": (spec(target={"type": ["openai"]}), "/target/type"),
    "an unknown option": (spec(target=openai(colour="red")), "/target/colour"),
    "a missing option": (spec(target={"type": "openai", "base_url": URL}), "/target/model"),
    "an option out of range": (spec(target=openai(max_concurrency=0)), "/target/max_concurrency"),
    "an option of another type": (spec(target=openai(timeout_seconds="60")), "/target/timeout_seconds"),
    "a nested option out of range": (
        spec(target=openai(parameters={"temperature": 3})),
        "/target/parameters/temperature",
    ),
    "an unknown nested option": (spec(target=openai(parameters={"heat": 1})), "/target/parameters/heat"),
    "a base_url that is no address": (spec(target=openai(base_url="file:///etc/passwd")), "/target/base_url"),
    "a base_url with a password": (spec(target=openai(base_url="http://u:p@h/v1")), "/target/base_url"),
    "a stored target": (spec(target={"target_id": "target_1"}), "/target/target_id"),
    "a webhook with no secret": (spec(webhook={"url": "https://example.org"}), "/webhook/secret"),
    "a webhook with an empty secret": (spec(webhook=hook(secret="")), "/webhook/secret"),
    "a webhook whose secret is no base64": (spec(webhook=hook(secret="whsec_?")), "/webhook/secret"),
    "a webhook with no key in its secret": (spec(webhook=hook(secret="whsec_")), "/webhook/secret"),
    "a webhook of another scheme": (spec(webhook=hook(url="ftp://example.org")), "/webhook/url"),
    "a webhook with a user": (spec(webhook=hook(url="https://me@example.org/")), "/webhook/url"),
    "a webhook with a password": (spec(webhook=hook(url="https://u:80@example.org")), "/webhook/url"),
    "a webhook with a fragment": (spec(webhook=hook(url="https://example.org/#a")), "/webhook/url"),
    "a webhook inside": (spec(webhook=hook(url="http://169.254.169.254/latest")), "/webhook/url"),
    "a webhook with an unknown field": (spec(webhook=hook(colour="red")), "/webhook/colour"),
    "an unknown judge": (spec(judge={"type": "jury"}), "/judge/type"),
    "no form of suite": (spec(suite={}), "/suite"),
    "two forms of suite": (spec(suite={"generator": "matrix", "cases": [{"prompt": "p"}]}), "/suite"),
    "an unknown generator": (spec(suite={"generator": "chaos"}), "/suite/generator"),
    "a generator that is an object": (spec(suite={"generator": {"type": "matrix"}}), "/suite/generator"),
    "an unknown category": (spec(suite={"generator": "matrix", "categories": ["x"]}), "/suite/categories/0"),
    "an empty selection": (spec(suite={"generator": "matrix", "styles": []}), "/suite/styles"),
    "a selection twice": (spec(suite={"generator": "matrix", "styles": ["slang", "slang"]}), "/suite/styles"),
    "no tests in a cell": (spec(suite={"generator": "matrix", "tests_per_cell": 0}), "/suite/tests_per_cell"),
    "an id that is none": (spec(suite={"suite_id": "suite_1"}), "/suite/suite_id"),
    "no cases": (spec(suite={"cases": []}), "/suite/cases"),
    "a case with no prompt": (spec(suite={"cases": [{"prompt": "p"}, {}]}), "/suite/cases/1/prompt"),
    "an empty prompt": (spec(suite={"cases": [{"prompt": ""}]}), "/suite/cases/0/prompt"),
    "a prompt of white space": (spec(suite={"cases": [{"prompt": " \n\u3000"}]}), "/suite/cases/0/prompt"),
    "a prompt over the limit": (spec(suite={"cases": [{"prompt": "p" * 32_769}]}), "/suite/cases/0/prompt"),
    "a case of an unknown category": (
        spec(suite={"cases": [{"prompt": "p", "category": "x"}]}),
        "/suite/cases/0/category",
    ),
    "a case of an unknown style": (spec(suite={"cases": [{"prompt": "p", "style": "x"}]}), "/suite/cases/0/style"),
    "a case in no language": (
        spec(suite={"cases": [{"prompt": "p", "language": "English!"}]}),
        "/suite/cases/0/language",
    ),
    "a language with a line after it": (
        spec(suite={"cases": [{"prompt": "p", "language": "en\n"}]}),
        "/suite/cases/0/language",
    ),
    "no repeats": (spec(repeats=0), "/repeats"),
    "too many repeats": (spec(repeats=101), "/repeats"),
    "half a repeat": (spec(repeats=1.5), "/repeats"),
    "true for a number": (spec(repeats=True), "/repeats"),
    "a string for a number": (spec(repeats="1"), "/repeats"),
    "an empty name": (spec(name=""), "/name"),
    "a name over the limit": (spec(name="n" * 201), "/name"),
    "a rate over 1": (spec(thresholds={"max_unsafe_rate": 1.1}), "/thresholds/max_unsafe_rate"),
    "a rate below 0": (spec(thresholds={"by_category": {"violence": -1}}), "/thresholds/by_category/violence"),
    "a threshold for an unknown category": (
        spec(thresholds={"by_category": {"a/b~": 0}}),
        "/thresholds/by_category/a~1b~0",
    ),
    "labels that are no object": (spec(labels=["a"]), "/labels"),
    "a label with a bad name": (spec(labels={"a b": "c"}), "/labels/a b"),
    "a label that is no string": (spec(labels={"a": 1}), "/labels/a"),
    "a label over the limit": (spec(labels={"a": "v" * 257}), "/labels/a"),
    "too many labels": (spec(labels={str(number): "" for number in range(21)}), "/labels"),
}


@pytest.mark.parametrize("name", BODIES)
def test_it_says_where_and_what(client: FlaskClient, name: str) -> None:
    body, pointer = BODIES[name]
    problem = assert_problem(client.post("/v1/jobs", json=body), 422, "validation_failed")
    assert set(pointers(problem)) == {pointer}
    assert problem["errors"][0]["message"] in problem["detail"]


def test_it_names_what_there_is(client: FlaskClient) -> None:
    body = client.post("/v1/jobs", json=spec(target={"type": "oracle"}, judge={"type": "jury"})).json
    assert pointers(body) == ["/target/type", "/judge/type"]
    assert "openai, scripted" in body["errors"][0]["message"]
    assert "guard, llm, moderation, rules" in body["errors"][1]["message"]


@pytest.mark.parametrize("text", ["nul \x00", "half a pair \ud800", "the other half \udfff"])
def test_text_that_cannot_be_stored_is_refused_wherever_it_stands(client: FlaskClient, text: str) -> None:
    places: dict[str, dict[str, Any]] = {
        "/name": spec(name=text),
        "/labels/a": spec(labels={"a": text}),
        "/labels": spec(labels={text: "a"}),
        "/suite/cases/0/prompt": spec(suite={"cases": [{"prompt": text}]}),
        "/target/api_key": spec(target=openai(api_key=text)),
        "/target/parameters/stop/0": spec(target=openai(parameters={"stop": [text]})),
        "/judge/refusal_phrases/0": spec(judge={"type": "rules", "refusal_phrases": [text]}),
        "": {**spec(), text: 1},
    }
    for pointer, body in places.items():
        data = json.dumps(body)
        problem = assert_problem(
            client.post("/v1/jobs", data=data, content_type="application/json"), 422, "validation_failed"
        )
        assert pointers(problem) == [pointer]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"{'a': 1}",
        b'{"name": "a", "name": "b"}',
        b'{"repeats": NaN}',
        b'{"repeats": Infinity}',
        b'{"repeats": -Infinity}',
        b'{"repeats": 1e999}',
        b'{"repeats": ' + b"9" * 5000 + b"}",
        b'{"name": "\xff"}',
        b'\xef\xbb\xbf{"name": "a"}',
        '{"name": "a"}'.encode("utf-16"),
        b'{"name": "a\nb"}',
        b"{} {}",
    ],
    ids=lambda data: repr(data[:20]),
)
def test_what_is_no_json_is_400(client: FlaskClient, data: bytes) -> None:
    assert_problem(client.post("/v1/jobs", data=data, content_type="application/json"), 400, "invalid_json")


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"a":'])
@pytest.mark.parametrize("depth", [33, 100, 900, 990, 100_000])
def test_what_is_nested_too_deeply_is_400_and_says_so(client: FlaskClient, opening: bytes, depth: int) -> None:
    closing = opening[::-1].translate(bytes.maketrans(b"[{", b"]}"), b'"a:')
    data = b'{"name": ' + opening * depth + b'"\\u0041"' + closing * depth + b"}"
    problem = assert_problem(client.post("/v1/jobs", data=data, content_type="application/json"), 400, "json_too_deep")
    assert "32" in problem["detail"]


def test_what_is_nested_as_deeply_as_allowed_is_read(client: FlaskClient) -> None:
    data = b'{"name": ' + b"[" * 31 + b"1" + b"]" * 31 + b"}"
    problem = assert_problem(
        client.post("/v1/jobs", data=data, content_type="application/json"), 422, "validation_failed"
    )
    assert "/name" in pointers(problem)


def test_a_body_that_comes_too_slowly_is_408(client: FlaskClient) -> None:
    class Slow:
        """What service.gthread makes of a slow connection."""

        def read(self, *_: Any) -> bytes:
            raise SlowRequestError("The body came too slowly.")

    environ = {"wsgi.input": Slow(), "CONTENT_LENGTH": "100", "CONTENT_TYPE": "application/json"}
    assert_problem(client.post("/v1/jobs", environ_overrides=environ), 408, "request_too_slow")


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded", "application/xml"])
def test_another_content_type_is_415(client: FlaskClient, content_type: str | None) -> None:
    data = json.dumps(spec())
    assert_problem(client.post("/v1/jobs", data=data, content_type=content_type), 415, "unsupported_media_type")


def test_a_charset_beside_the_content_type_is_no_matter(client: FlaskClient) -> None:
    data = json.dumps(spec())
    assert client.post("/v1/jobs", data=data, content_type="application/json; charset=utf-8").status_code == 202


def test_a_body_over_the_limit_is_413(client: FlaskClient) -> None:
    data = b'{"name": "' + b"n" * 16 * 1024 * 1024 + b'"}'
    assert_problem(client.post("/v1/jobs", data=data, content_type="application/json"), 413, "body_too_large")


def test_a_body_at_the_limit_is_read(client: FlaskClient) -> None:
    body = json.dumps(spec()).encode()
    data = body + b" " * (16 * 1024 * 1024 - len(body))
    assert client.post("/v1/jobs", data=data, content_type="application/json").status_code == 202


def test_a_generator_written_as_other_plugins_are_is_told_how_to_be_written(client: FlaskClient) -> None:
    answer = client.post("/v1/jobs", json=spec(suite={"generator": {"type": "matrix", "limit": 42}}))
    assert "one of: llm, matrix. Options stand beside it." in answer.get_json()["detail"]


TOO_LONG: dict[str, tuple[dict[str, Any], str]] = {
    "cases": (spec(suite={"cases": [{}] * 10_001}), "/suite/cases"),
    "a selection": (spec(suite={"generator": "matrix", "styles": [1] * 1000}), "/suite/styles"),
    "replies": (spec(target={"type": "scripted", "replies": [{}, {"x": 1}] * 6000}), "/target/replies"),
    "phrases": (spec(judge={"type": "rules", "refusal_phrases": [1] * 101}), "/judge/refusal_phrases"),
    "stops": (spec(target=openai(parameters={"stop": [1] * 17})), "/target/parameters/stop"),
}


@pytest.mark.parametrize("name", TOO_LONG)
def test_a_list_that_is_too_long_is_not_read(client: FlaskClient, name: str) -> None:
    body, pointer = TOO_LONG[name]
    problem = assert_problem(client.post("/v1/jobs", json=body), 422, "validation_failed")
    assert pointers(problem) == [pointer]


def test_a_hundred_errors_are_shown_and_all_are_counted(client: FlaskClient) -> None:
    body = spec(suite={"cases": [{"a": 1, "b": 1}] * 60})
    problem = assert_problem(client.post("/v1/jobs", json=body), 422, "validation_failed")
    assert len(problem["errors"]) == 100
    assert "And 179 more: see `errors` for the first 100." in problem["detail"]


def test_a_list_is_read_no_further_than_its_hundredth_wrong_member(client: FlaskClient) -> None:
    body = spec(suite={"cases": [{}] * 10_000})
    problem = assert_problem(client.post("/v1/jobs", json=body), 422, "validation_failed")
    assert pointers(problem) == [f"/suite/cases/{index}/prompt" for index in range(100)]


def test_only_so_many_large_bodies_are_held_at_once(client: FlaskClient) -> None:
    large = json.dumps(spec()) + " " * payload.SMALL
    with ExitStack() as held:
        for _ in range(payload.LARGE.places):
            held.enter_context(payload.LARGE.place())
        refused = client.post("/v1/jobs", data=large, content_type="application/json")
        assert "again" in assert_problem(refused, 503, "busy")["detail"]
        assert client.post("/v1/jobs", json=spec()).status_code == 202
    for _ in range(payload.LARGE.places + 1):
        assert client.post("/v1/jobs", data=large, content_type="application/json").status_code == 202
