from typing import Any

import pytest
from marshmallow import ValidationError

from service.llm.options import EndpointOptions
from service.targets.openai import OpenAIOptions

LEAST = {"base_url": "http://127.0.0.1:8081/v1", "model": "m"}


def refused(**options: Any) -> dict[str, Any]:
    with pytest.raises(ValidationError) as raised:
        OpenAIOptions().load({**LEAST, **options})
    return raised.value.normalized_messages()


def test_defaults() -> None:
    assert OpenAIOptions().load(LEAST) == {
        **LEAST,
        "api_key": None,
        "system_prompt": None,
        "parameters": {},
        "max_concurrency": 8,
        "requests_per_minute": None,
        "tokens_per_minute": None,
        "timeout_seconds": 60.0,
        "max_attempts": 5,
    }


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost",
        "https://api.openai.com/v1/",
        "http://my_llm:8000/v1",
        "http://[::1]:8080/v1",
        "http://[2606:4700::7]/v1",
        "http://127.0.0.1:65535/a/b-c~d%20e",
    ],
)
def test_addresses(url: str) -> None:
    assert EndpointOptions().load({**LEAST, "base_url": url})["base_url"] == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:80",
        "ftp://host/v1",
        "http://",
        "http://host/v1\n",
        "http://[7]/v1",
        "http://[1::2::3]/v1",
        "http://host:0",
        "http://host:65536",
        "http://host/v1?key=1",
        "http://host/v1#x",
        "http://ho st",
        "http://host/\x00",
        "http://host/" + "a" * 2048,
        5,
        None,
    ],
)
def test_no_addresses(url: Any) -> None:
    assert "base_url" in refused(base_url=url)


def test_credentials_in_the_address_are_told_where_to_go() -> None:
    assert "put the key in api_key" in str(refused(base_url="http://user:pass@host/v1"))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("api_key", ""),
        ("api_key", "a\r\nX-Evil: 1"),
        ("api_key", "key\n"),
        ("api_key", "schlüssel"),
        ("api_key", "k" * 4097),
        ("model", ""),
        ("model", "m" * 201),
        ("model", "m\x00"),
        ("model", "\ud800"),
        ("system_prompt", "s" * 32_769),
        ("system_prompt", "\udfff"),
        ("max_concurrency", 0),
        ("max_concurrency", 1025),
        ("max_concurrency", "5"),
        ("max_concurrency", True),
        ("max_concurrency", 1.5),
        ("max_attempts", 11),
        ("timeout_seconds", 0.05),
        ("timeout_seconds", 601),
        ("timeout_seconds", "5"),
        ("timeout_seconds", float("nan")),
        ("requests_per_minute", 0),
        ("tokens_per_minute", -1),
        ("parameters", None),
        ("parameters", []),
        ("colour", "blue"),
    ],
)
def test_what_is_refused(field: str, value: Any) -> None:
    assert list(refused(**{field: value})) == [field]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("stream", True),
        ("n", 2),
        ("model", "other"),
        ("messages", []),
        ("logit_bias", {}),
        ("temperature", 2.5),
        ("temperature", "0"),
        ("temperature", True),
        ("top_p", 1.1),
        ("max_tokens", 0),
        ("seed", 2**63),
        ("stop", "word"),
        ("stop", []),
        ("reasoning_effort", "extreme"),
    ],
)
def test_parameters_that_are_refused(name: str, value: Any) -> None:
    assert list(refused(parameters={name: value})["parameters"]) == [name]


def test_parameters_are_kept_as_given() -> None:
    given = {"temperature": 0, "max_completion_tokens": 5, "seed": 1, "stop": ["\n"], "reasoning_effort": "low"}
    assert OpenAIOptions().load({**LEAST, "parameters": given})["parameters"] == given
