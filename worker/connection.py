"""The way to the queue server, and what may be wrong with it in words of ours. Free of torch."""

from collections.abc import Iterator
from contextlib import contextmanager

import redis
import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

_SOCKET_TIMEOUT_S = 10.0
_TRIES_AGAIN = 1  # a person waits: say soon that it is down


class QueueDown(ConnectionError):
    """The queue server can't be reached."""


class QueueFull(RuntimeError):
    """More jobs wait than the queue takes."""


def connect(redis_url: str) -> redis.Redis:
    """A client for threads; nothing is sent yet."""
    retry = Retry(NoBackoff(), _TRIES_AGAIN)
    return redis.Redis.from_url(redis_url, socket_timeout=_SOCKET_TIMEOUT_S, retry=retry)


def connect_async(redis_url: str, *, max_connections: int) -> redis.asyncio.Redis:
    """A client for one event loop; nothing is sent yet."""
    return redis.asyncio.Redis.from_url(
        redis_url,
        socket_timeout=_SOCKET_TIMEOUT_S,
        retry=AsyncRetry(NoBackoff(), _TRIES_AGAIN),
        max_connections=max_connections,
    )


@contextmanager
def outages_named() -> Iterator[None]:
    """redis-py's errors as ours.

    Raises:
        QueueDown: the queue server can't be reached.
        QueueFull: it is out of memory.
    """
    try:
        yield
    except (redis.ConnectionError, redis.TimeoutError) as error:
        raise QueueDown(f"the queue server can't be reached: {error}") from error
    except redis.OutOfMemoryError as error:
        raise QueueFull("the queue server is out of memory") from error
