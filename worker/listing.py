"""Jobs in the order in which they came, newest first, a page at a time. Free of torch.

The index is one stream of job ids, so an entry's id is the cursor: jobs that come while a client
turns pages move nothing. How a job stands can't be indexed, it changes by itself; so pages are
filtered while they are read, and one page looks at a bounded number of jobs.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import redis
from redis.client import Pipeline

from models.registry import Task
from worker.records import JobView, Status, now

CURSOR_PATTERN = r"^[1-9]\d{0,18}-\d{1,19}$"

_INDEX = "wordbrush:jobs"
_CHUNK = 100  # jobs read at a time
_MAX_LOOKED_AT = 2000  # for one page


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
class JobPage:
    """Some jobs, newest first."""

    jobs: list[JobView] = field(default_factory=list)
    cursor: str | None = None  # where the next page begins; None after the last


def add_to_index(pipe: Pipeline, job_id: str, *, ttl_s: int) -> None:
    """With all else in `pipe`: the newest job is this one. Those past their time are cut off."""
    oldest = int((now() - timedelta(seconds=ttl_s)).timestamp() * 1000)
    pipe.xadd(_INDEX, {"job": job_id}, minid=oldest)
    pipe.expire(_INDEX, ttl_s)


def read_page(
    client: redis.Redis,
    read: Callable[[Sequence[str]], Sequence[JobView | None]],
    wanted: Wanted,
    *,
    cursor: str | None,
    limit: int,
) -> JobPage:
    """Up to `limit` jobs that are wanted, from `cursor` back in time; fewer, and a cursor to go on
    with, where few of very many are. `read` gives the views of some jobs, None for a forgotten one.
    """
    jobs: list[JobView] = []
    for _ in range(_MAX_LOOKED_AT // _CHUNK):
        entries: Any = client.xrevrange(_INDEX, max=f"({cursor}" if cursor else "+", count=_CHUNK)
        views = read([fields[b"job"].decode() for _, fields in entries])
        for (entry_id, _), view in zip(entries, views, strict=True):
            if len(jobs) == limit:
                return JobPage(jobs, cursor)
            cursor = entry_id.decode()
            if view is not None and wanted.takes(view):
                jobs.append(view)
        if len(entries) < _CHUNK:
            return JobPage(jobs, None)
    return JobPage(jobs, cursor)
