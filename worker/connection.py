"""The way to the queue server, and what may be wrong with it in words of ours. Free of torch."""

from collections.abc import Iterator
from contextlib import contextmanager

import redis
import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

PATIENCE_S = 20.0  # with a server that is silent, if nothing else is said

_TRIES = 2  # a connection that lay idle may be dead, and nobody told: the second is a new one


class QueueDown(ConnectionError):
    """The queue server can't be reached."""


class QueueSilent(QueueDown):
    """It is there and does not answer; what was asked of it may be done later all the same."""


class QueueFull(RuntimeError):
    """More jobs wait than the queue takes."""


def connect(redis_url: str, *, patience_s: float = PATIENCE_S) -> redis.Redis:
    """A client for threads; nothing is sent yet. It waits `patience_s` for an answer, so what it
    asks the server to block for must be well under half of that.
    """
    retry = Retry(NoBackoff(), _TRIES - 1)
    return redis.Redis.from_url(redis_url, socket_timeout=patience_s / _TRIES, retry=retry)


def connect_async(redis_url: str, *, max_connections: int) -> redis.asyncio.Redis:
    """A client for one event loop; nothing is sent yet."""
    return redis.asyncio.Redis.from_url(
        redis_url,
        socket_timeout=PATIENCE_S / _TRIES,
        retry=AsyncRetry(NoBackoff(), _TRIES - 1),
        max_connections=max_connections,
    )


@contextmanager
def outages_named() -> Iterator[None]:
    """redis-py's errors as ours.

    Raises:
        QueueDown: the queue server can't be reached.
        QueueSilent: it does not answer.
        QueueFull: it is out of memory.
    """
    try:
        yield
    except redis.TimeoutError as error:
        raise QueueSilent(f"the queue server does not answer: {error}") from error
    except redis.ConnectionError as error:
        raise QueueDown(f"the queue server can't be reached: {error}") from error
    except redis.OutOfMemoryError as error:
        raise QueueFull("the queue server is out of memory") from error
