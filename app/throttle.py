"""How often a key may ask, counted in Redis for all web processes together."""

from dataclasses import dataclass
from math import ceil
from time import time

import redis
from limits import RateLimitItem
from limits.storage import RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from worker.connection import outages_named


@dataclass(frozen=True)
class Allowance:
    """What is left of a rate after one more request."""

    is_granted: bool
    quota: int
    window_s: int
    left: int
    reset_s: int  # until some of it is given back

    @property
    def headers(self) -> dict[str, str]:
        """As draft-ietf-httpapi-ratelimit-headers-10 writes them."""
        return {
            "RateLimit-Policy": f'"key";q={self.quota};w={self.window_s}',
            "RateLimit": f'"key";r={self.left};t={self.reset_s}',
        }


class Throttle:
    """Counts requests by name over a sliding window."""

    def __init__(self, connection: redis.Redis) -> None:
        pool = connection.connection_pool
        storage = RedisStorage("redis://", connection_pool=pool, key_prefix="wordbrush:rate")
        self._limiter = SlidingWindowCounterRateLimiter(storage)

    def ask(self, name: str, rate: RateLimitItem) -> Allowance:
        """Count one request of `name`, if it is within `rate`.

        Raises:
            QueueDown: the server that counts can't be reached.
        """
        with outages_named():
            is_granted = self._limiter.hit(rate, name)
            stats = self._limiter.get_window_stats(rate, name)
        reset_s = max(1, ceil(stats.reset_time - time()))
        return Allowance(is_granted, rate.amount, rate.get_expiry(), stats.remaining, reset_s)
