"""What happens to a job, as a short stream of its own that anybody may follow. Free of torch.

The stream wakes whoever waits for the job, in any process, and lets a client that was cut off go
on after the last event that it saw. It is cut to its newest events and ends with the record.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import redis
import redis.asyncio
from redis.client import Pipeline

from worker.records import Status

START = "0-0"  # before the first event
ID_PATTERN = r"^\d{1,19}-\d{1,19}$"

_KEPT = 64  # events of one job


@dataclass(frozen=True)
class Event:
    """A job came to a new stage, or further."""

    id: str  # its place in the stream
    status: Status
    progress: float  # from 0 to 1


def append(
    pipe: Pipeline, job_id: str, status: Status, *, progress: float = 0.0, ttl_s: int
) -> None:
    """Write down, with all else in `pipe`, that the job came so far."""
    fields: dict[Any, Any] = {"status": status.value, "progress": f"{progress:.4g}"}
    pipe.xadd(_key(job_id), fields, maxlen=_KEPT, approximate=False)
    pipe.expire(_key(job_id), ttl_s)


def await_events(
    connection: redis.Redis, job_id: str, *, after: str, timeout_s: float
) -> list[Event]:
    """The events after the one with the id `after`; none if none comes within `timeout_s`."""
    block = max(1, int(timeout_s * 1000))
    return list(_read(connection.xread({_key(job_id): after}, block=block)))


async def await_events_async(
    connection: redis.asyncio.Redis, job_id: str, *, after: str, timeout_s: float
) -> list[Event]:
    """As `await_events`, on an event loop."""
    block = max(1, int(timeout_s * 1000))
    return list(_read(await connection.xread({_key(job_id): after}, block=block)))


def _read(answer: Any) -> Iterator[Event]:
    for _, entries in answer or ():
        for event_id, fields in entries:
            status = Status(fields[b"status"].decode())
            yield Event(event_id.decode(), status, float(fields[b"progress"]))


def _key(job_id: str) -> str:
    return f"wordbrush:events:{job_id}"
