"""Everything that the service has written down anywhere, as bytes to be searched."""

import zlib
from collections.abc import Iterator
from typing import Any

from redis import Redis
from sqlalchemy import inspect
from sqlalchemy import text as sql

from service.store.session import Store


def every_cell(store: Store) -> Iterator[bytes]:
    """Every column of every row of every table, those of no model of ours among them."""
    with store.read() as session:
        for table in inspect(store.engine).get_table_names():
            for row in session.execute(sql(f'SELECT * FROM "{table}"')):  # noqa: S608 - names from the database itself
                yield from (_bytes(value) for value in row if value is not None)


def every_key_and_value(redis: Redis) -> Iterator[bytes]:
    """Every key with its serialised value; what RQ compresses is given unpacked too."""
    client: Any = redis
    for key in client.scan_iter():
        yield key
        yield client.dump(key) or b""
        if client.type(key) == b"hash":
            yield from (_unpacked(value) for value in client.hvals(key))


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def _unpacked(value: bytes) -> bytes:
    try:
        return zlib.decompress(value)
    except zlib.error:
        return value
