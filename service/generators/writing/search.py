"""News to write about, from Tavily's search API."""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from tavily import AsyncTavilyClient, BadRequestError, InvalidAPIKeyError, UsageLimitExceededError
from tavily.errors import ForbiddenError
from tavily.errors import TimeoutError as TavilyTimeoutError

from service.domain.effort import Effort
from service.errors import GenerationError
from service.generators.writing.connecting import CheckedTransport
from service.llm.errors import PROBLEMS
from service.llm.failures import CallFailedError
from service.llm.guard import RefusedAddressError
from service.llm.redaction import redact, storable
from service.llm.retry import Retry
from service.llm.transport import tls_context

MAX_RESULTS = 20
"""Articles a category; the most that Tavily gives for one query."""
MAX_TITLE, MAX_CONTENT, MAX_URL = 200, 400, 2000
"""Characters of an article that are kept."""
TIMEOUT_SECONDS = 30.0
RETRY = Retry(max_attempts=3)

_PROBLEMS: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str], ...] = (
    (UsageLimitExceededError, "rate_limited"),
    (ForbiddenError, "quota"),  # Tavily's statuses for a used-up plan among them
    (BadRequestError, "bad_request"),
    (TavilyTimeoutError, "timeout"),
    (httpx.HTTPStatusError, "server_error"),
    ((httpx.HTTPError, httpx.InvalidURL), "unreachable"),
    ((ValueError, TypeError, AttributeError), "malformed"),  # what the library makes of a body that is not Tavily's
)


@dataclass(frozen=True, slots=True)
class Article:
    """One search result. `published` is the search service's own text, or None."""

    title: str
    url: str
    published: str | None
    content: str

    def record(self) -> dict[str, Any]:
        """What is kept of it with a case."""
        return {name: value for name, value in asdict(self).items() if name != "content"}


class Search:
    """Searches once a category; everybody who asks for it waits for the same answer. No opening before the first."""

    def __init__(self, url: str, options: Mapping[str, Any], effort: Effort) -> None:
        self._url = url
        self._key: str = options["search_api_key"]
        self._topic: str = options["search_topic"]
        self._days: int = options["search_days"]
        self._effort = effort
        self._http: httpx.AsyncClient | None = None
        self._found: dict[str, asyncio.Task[list[Article] | None]] = {}

    async def articles(self, category: str, query: str) -> list[Article] | None:
        """The category's articles, best first; None when the search failed.

        Raises:
            GenerationError: the search service refuses the key, or is at an address that must not be reached.
        """
        if category not in self._found:
            self._found[category] = asyncio.create_task(self._search(query))
        return await self._found[category]

    async def close(self) -> None:
        """Stop what is under way and release connections."""
        for search in self._found.values():
            search.cancel()
        await asyncio.gather(*self._found.values(), return_exceptions=True)
        if self._http:
            await self._http.aclose()

    async def _search(self, query: str) -> list[Article] | None:
        since = (datetime.now(UTC) - timedelta(days=self._days)).date().isoformat()
        try:
            return await RETRY.run(lambda: self._attempt(query, since), lambda _: None)
        except CallFailedError:
            self._effort.failed += 1
            return None

    async def _attempt(self, query: str, since: str) -> list[Article]:
        try:
            found = await self._client().search(
                query, topic=self._topic, start_date=since, max_results=MAX_RESULTS, timeout=TIMEOUT_SECONDS
            )
            return self._read(found["results"])
        except InvalidAPIKeyError as error:
            raise GenerationError(
                "The search service refused the API key. Check search_api_key.", code="generator_search_authentication"
            ) from error
        except RefusedAddressError as error:
            raise GenerationError(
                f"The search service is at {error}, which must not be reached. Check PROOFHOUSE_SEARCH_URL, or add the "
                "network to PROOFHOUSE_ALLOWED_NETWORKS.",
                code="generator_search_address_refused",
            ) from error
        except Exception as error:
            name = next((name for kinds, name in _PROBLEMS if isinstance(error, kinds)), None)
            if name is None:
                raise
            raise CallFailedError(PROBLEMS[name]) from error

    def _client(self) -> AsyncTavilyClient:
        if self._http is None:
            self._http = httpx.AsyncClient(
                base_url=self._url, transport=CheckedTransport(tls_context()), trust_env=False, follow_redirects=False
            )
        client = AsyncTavilyClient(api_key=self._key, api_base_url=self._url, client=self._http)
        for header in ("X-Project-ID", "X-Tavily-Orgid"):  # the library takes these from the environment
            self._http.headers.pop(header, None)
        return client

    def _read(self, results: list[Mapping[str, Any]]) -> list[Article]:
        read = [
            Article(
                self._clean(result.get("title"), MAX_TITLE),
                self._clean(result.get("url"), MAX_URL),
                self._clean(result.get("published_date"), MAX_TITLE) or None,
                self._clean(result.get("content"), MAX_CONTENT),
            )
            for result in results
        ]
        return [article for article in read if article.title and article.url]

    def _clean(self, text: Any, longest: int) -> str:
        """One line, without what can't be stored and without our key, should a server send it back."""
        return " ".join(storable(redact(text, [self._key])).split())[:longest] if isinstance(text, str) else ""
