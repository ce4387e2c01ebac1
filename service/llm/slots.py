"""Concurrency shared through Redis: all workers and jobs that call one model share its `max_concurrency`.

A worker does not ask Redis for every call. Each holds slots and renews its claim to them several times a second; the
script below parts the slots among those who want them. What all hold together never exceeds the maximum: a worker told
to do with fewer holds on to the difference until the calls in it have ended. What a dead worker held lapses.
"""

import hashlib
from typing import cast

from redis import Redis

TTL_SECONDS = 5

_SHARE = """
-- KEYS: expiry by lane (sorted set), held by lane (hash), wanted by lane (hash)
-- ARGV: lane, maximum, held, wanted, seconds a claim lives; gives how many slots the lane may use from now on
local lane, maximum, held = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local wanted, ttl = tonumber(ARGV[4]), tonumber(ARGV[5])
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now)) do
  redis.call('ZREM', KEYS[1], gone)
  redis.call('HDEL', KEYS[2], gone)
  redis.call('HDEL', KEYS[3], gone)
end
local known = redis.call('ZSCORE', KEYS[1], lane)
redis.call('ZADD', KEYS[1], now + ttl, lane)
local lanes = redis.call('ZRANGE', KEYS[1], 0, -1)
local share = math.max(1, math.floor(maximum / #lanes))
local taken, reserved = 0, 0
for _, other in ipairs(lanes) do
  if other ~= lane then
    local theirs = tonumber(redis.call('HGET', KEYS[2], other) or 0)
    local asked = tonumber(redis.call('HGET', KEYS[3], other) or 0)
    taken = taken + theirs
    reserved = reserved + math.max(math.min(theirs, asked), math.min(share, asked))
  end
end
local fair = math.max(share, maximum - reserved)
local allowed = math.max(0, math.min(wanted, fair, maximum - taken))
-- A lane that holds slots we know nothing of: Redis has lost its memory, and the others have yet to say what they hold.
if not known and held > 0 then allowed = math.min(allowed, held) end
redis.call('HSET', KEYS[2], lane, math.max(held, allowed))
redis.call('HSET', KEYS[3], lane, wanted)
for _, key in ipairs(KEYS) do redis.call('EXPIRE', key, 60) end
return allowed
"""


class SharedSlots:
    """One worker's part of a model's slots. `model_key` names the model, alike in every worker."""

    def __init__(self, redis: Redis, model_key: str, lane: str, maximum: int) -> None:
        self._redis = redis
        self._lane = lane
        self._maximum = maximum
        name = "proofhouse:slots:{" + hashlib.sha256(model_key.encode()).hexdigest()[:32] + "}"
        self._keys = [f"{name}:expiry", f"{name}:held", f"{name}:wanted"]
        self._script = redis.register_script(_SHARE)

    def renew(self, *, held: int, wanted: int) -> int:
        """How many calls this worker may have under way from now on.

        `held` is the most that it may have under way until it hears the answer: its present allowance or, while
        calls of a larger one have yet to end, their number.

        Raises:
            redis.RedisError: Redis is out of reach; the last allowance stands.
        """
        allowed = self._script(keys=self._keys, args=[self._lane, self._maximum, held, wanted, TTL_SECONDS])
        return cast("int", allowed)

    def release(self) -> None:
        """Give all slots up."""
        with self._redis.pipeline() as pipe:
            pipe.zrem(self._keys[0], self._lane)
            pipe.hdel(self._keys[1], self._lane)
            pipe.hdel(self._keys[2], self._lane)
            pipe.execute()
