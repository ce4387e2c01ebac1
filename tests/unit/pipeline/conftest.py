from collections.abc import Iterator
from dataclasses import replace

import pytest

from service.pipeline.services import Services
from service.settings import Settings


@pytest.fixture
def without_redis(settings: Settings) -> Iterator[Services]:
    """The same database, and a Redis where nothing listens."""
    services = Services.from_settings(replace(settings, redis_url="unix:///nonexistent/redis.sock"))
    yield services
    services.close()
