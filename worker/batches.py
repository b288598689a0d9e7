"""Batches: many requests under one id, done when nobody waits. Free of torch.

A batch lies in the queue server as three hashes: what is known of it, its items, and what became
of each. Items are carried by the chunk, one RQ job each: that spares most of what RQ costs for a
job, which is as much as a small network costs for a picture. An outcome is written once, so a
chunk that comes back after a crash goes on where it was.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Self
from uuid import uuid4

from redis.client import Pipeline
from rq import Queue, Retry
from rq.serializers import JSONSerializer

from worker import idempotency
from worker.connection import QueueFull, connect, outages_named
from worker.messages import Failure, Request, Result
from worker.queue import BATCH, NO_TERMS, Terms
from worker.records import Status, key_of, now
from worker.settings import Settings

CHUNK_FUNCTION = "worker.batches.run_chunk"
CHUNK_SIZE = 64  # items
CHUNK_RETRIES = 20  # deaths of workers that a chunk survives; each costs it one item at most
MAX_ITEMS = 10_000

_TOMBSTONE_S = 24 * 3600  # how long an expired batch is told from one that never was
# In one step: outcomes are written once each, counted, and not written after a cancel.
_NOTE = """
if redis.call('hexists', KEYS[1], 'canceled_at') == 1 then return 0 end
for i = 3, #ARGV, 3 do
  if redis.call('hsetnx', KEYS[2], ARGV[i], ARGV[i + 1]) == 1 then
    redis.call('hincrby', KEYS[1], ARGV[i + 2], 1)
  end
end
redis.call('expire', KEYS[2], ARGV[2])
local known = redis.call('hmget', KEYS[1], 'succeeded', 'failed', 'total')
if (tonumber(known[1]) or 0) + (tonumber(known[2]) or 0) == tonumber(known[3]) then
  redis.call('hsetnx', KEYS[1], 'finished_at', ARGV[1])
end
return 1
"""


class UnknownBatch(LookupError):
    """There is no such batch, or it is long forgotten."""


@dataclass(frozen=True)
class Item:
    """One line of a batch: what to do, or why it can't be done."""

    name: str  # the client's own for it, else its number
    request: Request | None
    refusal: Failure | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "request": self.request and self.request.to_json(),
            "refusal": self.refusal and self.refusal.to_json(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        request, refusal = data["request"], data["refusal"]
        return cls(
            data["name"],
            Request.from_json(request) if request else None,
            Failure(**refusal) if refusal else None,
        )


@dataclass(frozen=True)
class ItemView:
    """An item as it stood when it was read."""

    number: int  # from 0
    item: Item
    status: Status  # queued, succeeded, failed or canceled
    outcome: Result | Failure | None


@dataclass(frozen=True)
class BatchView:
    """A batch as it stood when it was read."""

    id: str
    status: Status
    total: int
    succeeded: int
    failed: int
    canceled: int
    request_id: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    expires_at: datetime | None

    @property
    def pending(self) -> int:
        return self.total - self.succeeded - self.failed - self.canceled


class Batches:
    """Takes batches in and says how they stand; safe to share between threads.

    Each method raises QueueDown when the queue server can't be reached.
    """

    def __init__(
        self,
        redis_url: str,
        *,
        max_queue: int,
        job_timeout_s: int,
        result_ttl_s: int,
        waiting_ttl_s: int,
    ) -> None:
        self._connection = connect(redis_url)
        self._queue = Queue(BATCH, connection=self._connection, serializer=JSONSerializer)
        self._max_queue = max_queue
        self._job_timeout_s = job_timeout_s
        self._result_ttl_s = result_ttl_s
        self._waiting_ttl_s = waiting_ttl_s
        self._ttl_s = waiting_ttl_s + result_ttl_s + _TOMBSTONE_S
        self._note = self._connection.register_script(_NOTE)

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        return cls(
            settings.redis_url,
            max_queue=settings.max_queue,
            job_timeout_s=settings.job_timeout_s,
            result_ttl_s=settings.result_ttl_s,
            waiting_ttl_s=settings.upload_ttl_s,
        )

    @outages_named()
    def submit(self, items: Sequence[Item], *, terms: Terms = NO_TERMS) -> str:
        """Put all items on the batch queue; the batch's id. With an idempotency key that came
        before it is the earlier batch's, and nothing is queued.

        Raises:
            QueueFull: too much waits.
            KeyReused: another request had the key.
        """
        batch_id = uuid4().hex
        chunks = list(_chunks(items))

        def enqueue(pipe: Pipeline) -> str:
            if terms.key and (found := idempotency.earlier(pipe, terms.key)):
                return found
            if self._queue.count + len(chunks) > self._max_queue:
                raise QueueFull(f"the batch queue has no room for {len(items)} items now")
            pipe.multi()
            self._write(pipe, batch_id, items, terms)
            for model, numbers in chunks:
                self._push(pipe, batch_id, model, numbers)
            return batch_id

        watched = [terms.key.name] if terms.key else []
        queued: Any = self._connection.transaction(
            enqueue,  # type: ignore[arg-type]  # redis-py forgets that it may have a value
            *watched,
            value_from_callable=True,
        )
        return str(queued)

    @outages_named()
    def earlier(self, key: idempotency.IdempotencyKey) -> str | None:
        """The id of the batch that came with this key before.

        Raises:
            KeyReused: another request had it.
        """
        return idempotency.earlier(self._connection, key)

    @outages_named()
    def read(self, batch_id: str) -> BatchView:
        """The batch as it stands.

        Raises:
            UnknownBatch: there is none.
        """
        raw: Any = self._connection.hgetall(_key(batch_id))
        if b"total" not in raw:
            raise UnknownBatch("there is no such batch")
        return self._view(batch_id, {k.decode(): v.decode() for k, v in raw.items()})

    @outages_named()
    def items(self, view: BatchView, wanted: Sequence[int]) -> list[ItemView]:
        """Items of a batch by their numbers, as they stand; those past the last are left out."""
        numbers = [number for number in wanted if number < view.total]
        if not numbers:
            return []
        with self._connection.pipeline() as pipe:
            pipe.hmget(_key(view.id, "items"), numbers)
            pipe.hmget(_key(view.id, "results"), numbers)
            items, results = pipe.execute()
        return [
            _item_view(view, number, item, result)
            for number, item, result in zip(numbers, items, results, strict=True)
            if item
        ]

    @outages_named()
    def cancel(self, batch_id: str) -> BatchView:
        """Leave undone what is not done; what is, stays. A batch that has ended stays as it is.

        Raises:
            UnknownBatch: there is none.
        """
        if not self.read(batch_id).status.is_final:
            self._connection.hsetnx(_key(batch_id), "canceled_at", now().isoformat())
        return self.read(batch_id)

    # The rest is the worker's side.

    @outages_named()
    def begin(self, batch_id: str) -> BatchView:
        """Say that a worker has come to the batch; as it stands then."""
        if self._connection.exists(_key(batch_id)):
            self._connection.hsetnx(_key(batch_id), "started_at", now().isoformat())
        return self.read(batch_id)

    @outages_named()
    def note(self, batch_id: str, outcomes: Mapping[int, Result | Failure]) -> bool:
        """Write down what became of items; False if the batch was canceled, and then nothing is."""
        lines = [part for n, outcome in outcomes.items() for part in _noted(n, outcome)]
        keys = [_key(batch_id), _key(batch_id, "results")]
        return bool(self._note(keys=keys, args=[now().isoformat(), self._ttl_s, *lines]))

    @outages_named()
    def suspect(self, batch_id: str, chunk: int, number: int | None) -> int | None:
        """Remember which item of a chunk is being tried alone; what was remembered before."""
        field = f"suspect-{chunk}"
        before = self._connection.hget(_key(batch_id), field)
        if number is None:
            self._connection.hdel(_key(batch_id), field)
        else:
            self._connection.hset(_key(batch_id), field, number)
        return int(before) if before else None

    @outages_named()
    def put_back(self, batch_id: str, model: str, numbers: Sequence[int]) -> None:
        """Put a chunk that was begun back, before all others."""
        with self._connection.pipeline() as pipe:
            pipe.multi()  # else RQ does, and too late
            self._push(pipe, batch_id, model, numbers, at_front=True)
            pipe.execute()

    def _write(self, pipe: Pipeline, batch_id: str, items: Sequence[Item], terms: Terms) -> None:
        refused = {n: item.refusal for n, item in enumerate(items) if item.refusal}
        record: dict[Any, Any] = {
            "total": len(items),
            "succeeded": 0,
            "failed": len(refused),
            "created_at": now().isoformat(),
        }
        if terms.request_id:
            record["request_id"] = terms.request_id
        if len(refused) == len(items):
            record["finished_at"] = record["created_at"]
        pipe.hset(_key(batch_id), mapping=record)
        lines: dict[Any, Any] = {n: json.dumps(item.to_json()) for n, item in enumerate(items)}
        pipe.hset(_key(batch_id, "items"), mapping=lines)
        if refused:
            noted: dict[Any, Any] = {n: _noted(n, refusal)[1] for n, refusal in refused.items()}
            pipe.hset(_key(batch_id, "results"), mapping=noted)
        for part in ("", "items", "results"):
            pipe.expire(_key(batch_id, part), self._ttl_s)
        if terms.key:
            idempotency.remember(pipe, terms.key, batch_id)

    def _push(
        self,
        pipe: Pipeline,
        batch_id: str,
        model: str,
        numbers: Sequence[int],
        *,
        at_front: bool = False,
    ) -> None:
        """A chunk; it says its model as a job does, so that a worker that has it takes it."""
        job_id = uuid4().hex
        said: dict[Any, Any] = {"model": model, "created_at": now().isoformat()}
        pipe.hset(key_of(job_id), mapping=said)
        pipe.expire(key_of(job_id), self._ttl_s)
        self._queue.enqueue_call(
            CHUNK_FUNCTION,
            args=(batch_id, model, list(numbers)),
            job_id=job_id,
            timeout=self._job_timeout_s * len(numbers),
            ttl=self._waiting_ttl_s,
            result_ttl=0,
            failure_ttl=self._result_ttl_s,
            retry=Retry(max=CHUNK_RETRIES, enqueue_at_front=True),
            at_front=at_front,
            pipeline=pipe,
        )

    def _view(self, batch_id: str, record: Mapping[str, str]) -> BatchView:
        times = {
            name: datetime.fromisoformat(record[f"{name}_at"]) if f"{name}_at" in record else None
            for name in ("started", "finished", "canceled")
        }
        total, succeeded, failed = (int(record[k]) for k in ("total", "succeeded", "failed"))
        ended_at = times["finished"] or times["canceled"]
        expires_at = ended_at and ended_at + timedelta(seconds=self._result_ttl_s)
        return BatchView(
            id=batch_id,
            status=_status(times, expires_at),
            total=total,
            succeeded=succeeded,
            failed=failed,
            canceled=total - succeeded - failed if times["canceled"] else 0,
            request_id=record.get("request_id"),
            created_at=datetime.fromisoformat(record["created_at"]),
            started_at=times["started"],
            finished_at=ended_at,
            expires_at=expires_at,
        )


def pending(items: Iterable[ItemView]) -> dict[int, Request]:
    """What is still to be done, by number."""
    return {
        view.number: view.item.request
        for view in items
        if view.status is Status.QUEUED and view.item.request
    }


def _chunks(items: Sequence[Item]) -> Iterator[tuple[str, list[int]]]:
    """Models, each with numbers of items that want it, in order."""
    by_model: dict[str, list[int]] = {}
    for number, item in enumerate(items):
        if item.request:
            by_model.setdefault(item.request.model, []).append(number)
    for model, numbers in by_model.items():
        for first in range(0, len(numbers), CHUNK_SIZE):
            yield model, numbers[first : first + CHUNK_SIZE]


def _status(times: Mapping[str, datetime | None], expires_at: datetime | None) -> Status:
    """A batch that was done has succeeded, whatever became of its items."""
    if expires_at and expires_at <= now():
        return Status.EXPIRED
    if times["canceled"]:
        return Status.CANCELED
    if times["finished"]:
        return Status.SUCCEEDED
    return Status.PROCESSING if times["started"] else Status.QUEUED


def _item_view(view: BatchView, number: int, item: bytes, result: bytes | None) -> ItemView:
    known = Item.from_json(json.loads(item))
    if result is None:
        status = Status.CANCELED if view.canceled else Status.QUEUED
        return ItemView(number, known, status, None)
    data = json.loads(result)
    if "error" in data:
        return ItemView(number, known, Status.FAILED, Failure(**data["error"]))
    return ItemView(number, known, Status.SUCCEEDED, Result.from_json(data["result"]))


def _noted(number: int, outcome: Result | Failure) -> tuple[int, str, str]:
    """Number, what is written, and what is counted."""
    if isinstance(outcome, Failure):
        return number, json.dumps({"error": asdict(outcome)}), "failed"
    return number, json.dumps({"result": outcome.to_json()}), "succeeded"


def _key(batch_id: str, part: str = "") -> str:
    return f"wordbrush:batch:{batch_id}{part and ':' + part}"
