"""Jobs and batches in the order in which they came, newest first, by the page. Free of torch.

An index is one stream of ids, so an entry's id is the cursor: what comes while a client turns
pages moves nothing. How a job stands can't be indexed, it changes by itself; so pages are filtered
while they are read, and one page looks at a bounded number of entries.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, TypeVar

import redis
from redis.client import Pipeline

from models.registry import Task
from worker.records import JobView, Status, now

CURSOR_PATTERN = r"^[1-9]\d{0,18}-\d{1,19}$"
JOBS = "wordbrush:jobs"
BATCHES = "wordbrush:batches"

_CHUNK = 100  # entries read at a time
_MAX_LOOKED_AT = 2000  # for one page

T = TypeVar("T")


@dataclass(frozen=True)
class Wanted:
    """Which jobs; an empty or missing choice takes all."""

    statuses: frozenset[Status] = frozenset()
    model: str | None = None
    task: Task | None = None

    def takes(self, view: JobView) -> bool:
        return (
            (not self.statuses or view.status in self.statuses)
            and self.model in (None, view.request.model)
            and self.task in (None, view.request.task)
        )


@dataclass(frozen=True)
class Page(Generic[T]):
    """Some of what is listed, newest first."""

    entries: list[T]
    cursor: str | None = None  # where the next page begins; None after the last


def add_to_index(pipe: Pipeline, index: str, entry: str, *, ttl_s: int) -> None:
    """With all else in `pipe`: the newest is the one with the id `entry`. Those past their time are
    cut off.
    """
    oldest = int((now() - timedelta(seconds=ttl_s)).timestamp() * 1000)
    pipe.xadd(index, {"id": entry}, minid=oldest)
    pipe.expire(index, ttl_s)


def read_page(
    client: redis.Redis,
    index: str,
    read: Callable[[Sequence[str]], Sequence[T | None]],
    takes: Callable[[T], bool],
    *,
    cursor: str | None,
    limit: int,
) -> Page[T]:
    """Up to `limit` entries that `takes` takes, from `cursor` back in time; fewer, and a cursor to
    go on with, where few of very many are. `read` gives the views of some ids, None for a
    forgotten one.
    """
    found: list[T] = []
    for _ in range(_MAX_LOOKED_AT // _CHUNK):
        listed: Any = client.xrevrange(index, max=f"({cursor}" if cursor else "+", count=_CHUNK)
        views = read([entry.decode() for _, fields in listed for entry in fields.values()])
        for (place, _), view in zip(listed, views, strict=True):
            if len(found) == limit:
                return Page(found, cursor)
            cursor = place.decode()
            if view is not None and takes(view):
                found.append(view)
        if len(listed) < _CHUNK:
            return Page(found)
    return Page(found, cursor)
