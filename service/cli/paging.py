"""Lists of the API, page by page."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from service.cli.client import Client, Json

PAGE = 100


def pages(client: Client, path: str, limit: int, **filters: Any) -> Iterator[Json]:
    """The first `limit` rows of a list."""
    return islice(_rows(client, path, min(limit, PAGE), filters), limit)


def _rows(client: Client, path: str, size: int, filters: dict[str, Any]) -> Iterator[Json]:
    cursor = None
    while True:
        page = client.get(path, limit=size, cursor=cursor, **filters)
        yield from page["data"]
        cursor = page["next_cursor"]
        if cursor is None:
            return
