from collections.abc import Iterator

import pytest

from service.store.session import Store


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """A migrated, empty database; what asks for it runs on both kinds."""
    store = Store(database_url)
    yield store
    store.close()
