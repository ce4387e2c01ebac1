"""Concurrency shared through Redis: all workers and jobs that call one model share its `max_concurrency`.

A worker does not ask Redis for every call. Each holds a grant of slots, which it renews several times a second; the
script below parts the slots among those who want them. The sum of all grants never exceeds the maximum: a worker that
must give slots up keeps them until the calls in them have ended. A dead worker's grant lapses.
"""

import hashlib
from typing import cast

from redis import Redis

TTL_SECONDS = 5

_GRANT = """
-- KEYS: expiry by lane (sorted set), granted by lane (hash), wanted by lane (hash)
-- ARGV: lane, maximum, in use, wanted, seconds a grant lives
local lane, maximum, in_use = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local wanted, ttl = tonumber(ARGV[4]), tonumber(ARGV[5])
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now)) do
  redis.call('ZREM', KEYS[1], gone)
  redis.call('HDEL', KEYS[2], gone)
  redis.call('HDEL', KEYS[3], gone)
end
redis.call('ZADD', KEYS[1], now + ttl, lane)
local lanes = redis.call('ZRANGE', KEYS[1], 0, -1)
local share = math.max(1, math.floor(maximum / #lanes))
local taken, reserved = 0, 0
for _, other in ipairs(lanes) do
  if other ~= lane then
    local granted = tonumber(redis.call('HGET', KEYS[2], other) or 0)
    local asked = tonumber(redis.call('HGET', KEYS[3], other) or 0)
    taken = taken + granted
    reserved = reserved + math.max(granted, math.min(share, asked))
  end
end
local fair = math.max(share, maximum - reserved)
local grant = math.max(in_use, math.min(wanted, fair, maximum - taken), 0)
redis.call('HSET', KEYS[2], lane, grant)
redis.call('HSET', KEYS[3], lane, wanted)
for _, key in ipairs(KEYS) do redis.call('EXPIRE', key, 60) end
return grant
"""


class SharedSlots:
    """One worker's part of a model's slots. `model_key` names the model, alike in every worker."""

    def __init__(self, redis: Redis, model_key: str, lane: str, maximum: int) -> None:
        self._redis = redis
        self._lane = lane
        self._maximum = maximum
        name = "proofhouse:slots:{" + hashlib.sha256(model_key.encode()).hexdigest()[:32] + "}"
        self._keys = [f"{name}:expiry", f"{name}:granted", f"{name}:wanted"]
        self._script = redis.register_script(_GRANT)

    def renew(self, *, in_use: int, wanted: int) -> int:
        """Renew the grant: how many calls this worker may have under way until the next renewal.

        Raises:
            redis.RedisError: Redis is out of reach; the last grant may be kept up.
        """
        grant = self._script(keys=self._keys, args=[self._lane, self._maximum, in_use, wanted, TTL_SECONDS])
        return cast("int", grant)

    def release(self) -> None:
        """Give all slots up."""
        with self._redis.pipeline() as pipe:
            pipe.zrem(self._keys[0], self._lane)
            pipe.hdel(self._keys[1], self._lane)
            pipe.hdel(self._keys[2], self._lane)
            pipe.execute()
