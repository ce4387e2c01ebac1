"""What the pipeline works with, wired once by each entry point."""

from dataclasses import dataclass, field

from redis import Redis

from service.domain.quotas import Quota
from service.queue import TaskQueue, connect
from service.settings import Settings
from service.store.session import Store
from service.store.vault import Vault


@dataclass(frozen=True, slots=True)
class Services:
    """Store, queue and vault. Opens no connection until used, so that it may be made before or after a fork."""

    store: Store
    redis: Redis
    queue: TaskQueue
    vault: Vault
    search_url: str
    """Where generators that search the web do so."""
    quota: Quota = field(default_factory=Quota)
    """What a tenant may use that has no quota of its own."""

    @classmethod
    def from_settings(cls, settings: Settings) -> "Services":
        """Wire everything up from settings."""
        redis = connect(settings.redis_url)
        return cls(
            store=Store(settings.database_url),
            redis=redis,
            queue=TaskQueue(redis, settings.queue),
            vault=Vault(settings.secret_keys),
            search_url=settings.search_url,
            quota=settings.quota,
        )

    def close(self) -> None:
        """Close all connections."""
        self.store.close()
        self.redis.close()
