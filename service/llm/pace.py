"""A rate shared through Redis: all workers and jobs together send to one model at an even pace."""

import hashlib
from typing import cast

from redis import Redis

MINUTE = 62.0
"""Seconds over which a minute's allowance is spread. Two more than sixty, so that requests which the network delays by
up to a second still never add up to more than the allowance within any minute at the receiver."""

_RESERVE = """
-- KEYS: when the next unit may be sent; ARGV: seconds a unit, units; gives the seconds to wait before sending
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local at = math.max(now, tonumber(redis.call('GET', KEYS[1]) or 0))
local free = at + ARGV[1] * ARGV[2]
redis.call('SET', KEYS[1], string.format('%.6f', free), 'EX', math.max(1, math.ceil(free - now) + 60))
return string.format('%.6f', at - now)
"""


class Pace:
    """At most `per_minute` units (requests, or tokens) to one model within any minute, spread evenly.

    `name` names the model and the unit, alike in every worker.
    """

    def __init__(self, redis: Redis, name: str, per_minute: int) -> None:
        self._key = "proofhouse:pace:" + hashlib.sha256(name.encode()).hexdigest()[:32]
        self._seconds_a_unit = MINUTE / per_minute
        self._script = redis.register_script(_RESERVE)

    def reserve(self, units: int) -> float:
        """Take the next `units`; gives the seconds to wait before sending. Negative units give back what was not used.

        Raises:
            redis.RedisError: Redis is out of reach; nothing was reserved.
        """
        wait = self._script(keys=[self._key], args=[self._seconds_a_unit, units])
        return float(cast("bytes", wait))
