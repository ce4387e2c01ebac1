"""0 connections to an address that must not be reached, however it is written, named or pointed at."""

import asyncio
from collections.abc import Iterator
from itertools import chain, repeat
from typing import Any

import httpx
import pytest
from marshmallow import ValidationError

from service.domain.completions import CallError, ErrorCode
from service.domain.jobs import JobStatus
from service.generators.writing.connecting import CheckedTransport
from service.llm.client import ModelClient
from service.llm.guard import RefusedAddressError
from service.llm.limits import LocalLimiter
from service.llm.options import EndpointOptions
from service.llm.transport import tls_context
from service.pipeline.services import Services
from service.pipeline.submit import submit
from service.targets.base import targets
from tests.support.connects import Network, network
from tests.support.databases import about_redis_alone
from tests.support.mock_openai import Answer, MockOpenAI
from tests.support.mock_tavily import MockTavily
from tests.support.running import run
from tests.support.specs import job_spec, plugin
from tests.support.writing import generate, writes

LITERALS = [
    *("127.0.0.1", "0x7f000001", "0x7f.0.0.1", "0.0.0.0", "169.254.169.254", "0xa9fea9fe"),  # noqa: S104 - not bound to
    *("169.254.170.2", "169.254.170.23", "100.100.100.200", "192.0.0.192", "168.63.129.16"),
    *("10.0.0.1", "172.16.0.1", "192.168.0.1", "100.64.0.1", "198.18.0.1", "192.88.99.1", "224.0.0.1", "240.0.0.1"),
    "255.255.255.255",
    *("[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:7f00:1]", "[::127.0.0.1]"),
    *("[64:ff9b::7f00:1]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]", "[2001:0:7f00:1::1]", "[fe80::1]", "[fc00::1]"),
    *("[fd00:ec2::254]", "[fec0::1]", "[ff02::1]", "[100::1]", "[::ffff:a9fe:a9fe]"),
]
NUMBERS = [  # what the C library takes for IPv4, and an HTTP client may refuse or not
    *("127.1", "2130706433", "0177.0.0.1", "017700000001", "0", "2852039166", "0251.0376.0251.0376", "169.254.43518"),
]
ODD = [
    *("127.0.0.1.", "a@127.0.0.1", "pub.example@127.0.0.1", "127.0.0.1#@pub.example", "127.0.0.1\\@pub.example"),
    *("pub.example\\@127.0.0.1", "\uff11\uff12\uff17.\uff10.\uff10.\uff11", "\u2460\u2461\u2466.\u24ea.\u24ea.\u2460"),
    *("127\u30020\u30020\u30021", "127%2e0%2e0%2e1", "%31%32%37.0.0.1", "127.0.0.1\x00.pub.example", "127.0.0.1\t"),
    *("127.0.0.1\r\nHost: pub.example", "[fe80::1%25eth0]", "[::1%25lo]", "/127.0.0.1", "pub.example:80@127.0.0.1:80"),
]
SCHEMES = [
    "http:127.0.0.1",
    "http:/127.0.0.1",
    "file:///etc/passwd",
    "gopher://127.0.0.1",
    "ftp://127.0.0.1",
    "//127.1",
]
NAMES: dict[str, Any] = {
    "localhost": ["127.0.0.1", "::1"],
    "LOCALHOST_": ["127.0.0.1"],
    "localhost_": ["127.0.0.1"],
    "metadata_google_internal": ["169.254.169.254"],
    "kubernetes_default_svc_cluster_local": ["10.96.0.1"],
    "public_first_example": ["8.8.8.8", "127.0.0.1"],
    "private_first_example": ["127.0.0.1", "8.8.8.8"],
    "one_of_six_example": ["2606:4700::1", "8.8.8.8", "::ffff:10.0.0.1"],
}
DOTTED = [name.replace("_", ".") for name in NAMES]
PORT = 8443
"""One at which a model may be, so that it is the address that is refused."""


def error_of(base_url: str) -> CallError | None:
    """What comes of one call."""
    client = ModelClient(
        "target",
        base_url=base_url,
        model="m",
        api_key=None,
        timeout_seconds=5,
        max_attempts=1,
        limiter=LocalLimiter(1),
        max_connections=1,
    )

    async def call() -> CallError | None:
        try:
            return (await client.chat([{"role": "user", "content": "Hello"}], {})).error
        finally:
            await client.close()

    return asyncio.run(call())


def fails(base_url: str) -> bool:
    """Whether a call brings nothing; aiohttp raises by itself for a user in the address, which options refuse."""
    try:
        return error_of(base_url) is not None
    except ValueError:
        return True


def get(url: str) -> None:
    """The same with httpx, as the search does."""

    async def call() -> None:
        async with httpx.AsyncClient(transport=CheckedTransport(tls_context()), trust_env=False) as client:
            await client.get(url)

    asyncio.run(call())


@pytest.fixture
def strict() -> Iterator[Network]:
    """Nothing beside the internet is allowed."""
    with network(**NAMES) as recorded:
        yield recorded


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", [*LITERALS, *DOTTED])
def test_no_call_reaches_an_address_that_is_refused(strict: Network, scheme: str, host: str) -> None:
    error = error_of(f"{scheme}://{host}:{PORT}/v1")
    assert error is not None
    assert error.code is ErrorCode.ADDRESS_REFUSED, error.message
    assert error.stops_job
    assert strict.connects == []


@pytest.mark.parametrize("host", [*LITERALS, *DOTTED])
def test_no_search_reaches_an_address_that_is_refused(strict: Network, host: str) -> None:
    with pytest.raises(RefusedAddressError, match=r"^a [a-z-]+ address$"):
        get(f"http://{host}:{PORT}/")
    assert strict.connects == []


@pytest.mark.parametrize("url", [*(f"http://{host}/v1" for host in (*NUMBERS, *ODD)), *SCHEMES])
def test_no_odd_spelling_gets_past_the_check(strict: Network, url: str) -> None:
    assert fails(url)
    with pytest.raises((httpx.HTTPError, httpx.InvalidURL, OSError)):
        get(url)
    assert strict.connects == []


@pytest.mark.parametrize("host", [*LITERALS, *NUMBERS])
def test_a_literal_address_is_refused_before_anything_is_stored(strict: Network, host: str) -> None:
    with pytest.raises(ValidationError, match=r"Must not be at a [a-z-]+ address, unless|Must be an http"):
        EndpointOptions().load({"base_url": f"https://{host}:{PORT}/v1", "model": "m"})
    assert strict.lookups == []


def test_the_message_says_what_to_do_and_hides_what_a_name_stands_for(strict: Network) -> None:
    error = error_of("http://metadata.google.internal/v1")
    assert error is not None
    assert "link-local" in error.message
    assert "PROOFHOUSE_ALLOWED_NETWORKS" in error.message
    assert "169.254" not in error.message
    assert strict.lookups == ["metadata.google.internal"]


def test_the_recorder_sees_a_connection_that_is_allowed() -> None:
    with MockOpenAI() as server, MockTavily() as search, network("127.0.0.0/8") as recorded:
        assert error_of(server.base_url) is None
        with pytest.raises(httpx.ConnectError):
            get("http://127.0.0.1:1/")
        get(search.url)
    assert recorded.connects == ["127.0.0.1"] * 3


def test_what_is_checked_is_what_is_connected_to() -> None:
    names = {"steady_example": ["127.0.0.1"]}
    with MockOpenAI() as server, network("127.0.0.1/32", **names) as recorded:
        assert error_of(f"http://steady.example:{server.port}/v1") is None
        get(f"http://steady.example:{server.port}/v1")
    assert recorded.lookups == ["steady.example"] * 2, "one look-up a connection"
    assert recorded.connects == ["127.0.0.1"] * 2
    assert server.hits[0].headers["Host"] == f"steady.example:{server.port}"


@pytest.mark.parametrize("good", [1, 2, 3])
def test_a_name_that_turns_to_a_refused_address_is_refused_from_then_on(good: int) -> None:
    answers = chain(repeat(["127.0.0.1"], good), repeat(["127.0.0.2"]))
    with MockOpenAI() as server, network("127.0.0.1/32", turning_example=lambda: next(answers)) as recorded:
        errors = [error_of(f"http://turning.example:{server.port}/v1") for _ in range(good + 2)]
    assert [error and error.code for error in errors] == [None] * good + [ErrorCode.ADDRESS_REFUSED] * 2
    assert recorded.connects == ["127.0.0.1"] * good


def test_a_kept_connection_goes_on_to_where_it_was_checked() -> None:
    answers = chain([["127.0.0.1"]], repeat(["127.0.0.2"]))

    async def calls(base_url: str) -> list[CallError | None]:
        options = {"base_url": base_url, "model": "m", "api_key": None, "timeout_seconds": 5, "max_attempts": 1}
        client = ModelClient.from_options("target", {**options, "max_concurrency": 1}, LocalLimiter(1))
        errors = [(await client.chat([{"role": "user", "content": "Hello"}], {})).error for _ in range(3)]
        await client.close()
        return errors

    with MockOpenAI() as server, network("127.0.0.1/32", turning_example=lambda: next(answers)) as recorded:
        errors = asyncio.run(calls(f"http://turning.example:{server.port}/v1"))
    assert errors == [None] * 3
    assert recorded.connects == ["127.0.0.1"]


@pytest.mark.parametrize("host", ["127.0.0.2", "169.254.169.254", "10.0.0.1", "[::1]", "localhost", "2130706434"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(host: str, status: int) -> None:
    location = f"http://{host}:{PORT}/v1/chat/completions?key=sesame#there"
    with (
        MockOpenAI(Answer(status, headers={"Location": location})) as server,
        network("127.0.0.1/32", localhost=["127.0.0.1"]) as recorded,
    ):
        error = error_of(server.base_url)
        get(server.base_url)
    assert error is not None
    assert f"to http://{host}:{PORT}/v1/chat/completions)" in error.message
    assert "sesame" not in error.message
    assert recorded.connects == ["127.0.0.1"] * 2


def test_no_proxy_of_the_environment_is_asked(strict: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for scheme in ("http", "https"):
        error = error_of(f"{scheme}://metadata.google.internal/v1")
        assert error is not None
        assert error.code is ErrorCode.ADDRESS_REFUSED
        with pytest.raises(RefusedAddressError):
            get(f"{scheme}://metadata.google.internal/v1")
    assert strict.connects == []


@about_redis_alone
def test_a_job_whose_target_is_refused_is_paused_at_once(services: Services) -> None:
    target = plugin(targets, "openai", base_url="http://127.0.0.1:9/v1", model="m", max_attempts=10)
    job = submit(services, job_spec(40, target=target), tenant="acme")
    with network() as recorded:
        job = run(services, job)
    assert job.status is JobStatus.PAUSED
    assert job.status_reason
    assert job.status_reason.code == "target_address_refused"
    assert "PROOFHOUSE_ALLOWED_NETWORKS" in job.status_reason.message
    assert recorded.connects == []


def test_a_search_service_that_is_refused_ends_the_making() -> None:
    options = {"categories": ["violence"], "styles": ["slang"], "variant": "rag_fs_ts", "search_api_key": "tvly-x" * 4}
    with MockOpenAI(writes) as server, network("127.0.0.1/32") as recorded:
        made = generate(server, search_url="http://127.0.0.2:9", **options)
    assert made.error is not None
    assert made.error.code == "generator_search_address_refused"
    assert "PROOFHOUSE_SEARCH_URL" in str(made.error)
    assert "127.0.0.2" not in recorded.connects
