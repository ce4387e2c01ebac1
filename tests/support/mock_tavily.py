"""A real HTTP server on loopback that speaks Tavily's search protocol.

with MockTavily(found(3)) as search:
    ...  # search.url, search.hits
"""

from typing import Any

from tests.support.mock_openai import Answer, MockOpenAI, payload


def result(number: int, **fields: Any) -> dict[str, Any]:
    """One search result."""
    return {
        "title": f"Event number {number}",
        "url": f"https://news.example/{number}",
        "content": f"What happened on occasion {number}.",
        "score": 0.9,
        "published_date": f"Tue, {number + 1:02} Nov 2026 08:00:00 GMT",
        **fields,
    }


def found(count: int) -> Answer:
    """A page of so many results."""
    return results(*(result(number) for number in range(count)))


def results(*articles: Any) -> Answer:
    """A page of these results."""
    return payload({"query": "…", "follow_up_questions": None, "answer": None, "images": [], "results": list(articles)})


def refused(status: int, message: str) -> Answer:
    """An error as Tavily words it."""
    return payload({"detail": {"error": message}}, status)


class MockTavily(MockOpenAI):
    """Answers requests as told, in turn and the last for ever after."""

    @property
    def url(self) -> str:
        """Where `/search` begins."""
        return f"http://127.0.0.1:{self.port}"
