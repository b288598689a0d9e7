"""Batches: many requests under one id, done when nobody waits. Free of torch.

A batch lies in the queue server as three hashes (batch_records.py): what is known of it, its items,
and what became of each; and as the set of its chunks. Items are carried by the chunk, one RQ job
each: that spares most of what RQ costs for a job, which is as much as a small network costs for a
picture. An outcome is written once, so a chunk that comes back after a crash goes on where it was.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from math import ceil
from typing import Any
from uuid import uuid4

from redis.client import Pipeline
from rq import Retry
from rq.job import Job

from worker import idempotency, outbox, records, tracing
from worker.batch_records import LEFT, BatchView, Item, key_of, write_outcome
from worker.batch_standing import BatchStanding
from worker.connection import QueueFull, outages_named
from worker.listing import BATCHES, add_to_index
from worker.messages import Failure, Result
from worker.metrics import COUNTS, count_pass, items_field
from worker.outbox import DUE
from worker.queue import NO_TERMS, Terms
from worker.records import Status, now
from worker.standing import WORKERS

CHUNK_FUNCTION = "worker.batches.run_chunk"
CHUNK_SIZES = range(64, 513)  # items
_CHUNKS_A_WORKER = 2  # of a batch, so that they can share it and end at about the same time
CHUNK_RETRIES = 40  # deaths of workers that a chunk survives; two cost it one item at most
MAX_ITEMS = 10_000

# In one step: outcomes are written once each, counted, and not written after the batch's end.
_NOTE = """
for _, field in ipairs({'canceled_at', 'expired_at'}) do
  if redis.call('hexists', KEYS[1], field) == 1 then return 0 end
end
for i = 6, #ARGV, 4 do
  if redis.call('hsetnx', KEYS[2], ARGV[i], ARGV[i + 1]) == 1 then
    redis.call('hincrby', KEYS[1], ARGV[i + 2], 1)
    redis.call('hincrby', KEYS[1], ARGV[3], -1)
    redis.call('hincrby', KEYS[3], ARGV[i + 3], 1)
  end
end
redis.call('expire', KEYS[2], ARGV[2])
local known = redis.call('hmget', KEYS[1], 'succeeded', 'failed', 'total')
if (tonumber(known[1]) or 0) + (tonumber(known[2]) or 0) == tonumber(known[3]) then
  redis.call('hsetnx', KEYS[1], 'finished_at', ARGV[1])
  redis.call('zadd', KEYS[4], 'XX', 'LT', ARGV[4], ARGV[5])
end
return 1
"""
# In one step: a batch that has not ended does, once, what is left of it is counted, and chunks that
# nobody has begun make room. KEYS: its record, its chunks, COUNTS, DUE, the queue; ARGV: when it
# ends, twice, and how, the batch in DUE, where RQ's jobs are, then two fields a model.
_LEAVE = """
for _, field in ipairs({'finished_at', 'canceled_at', 'expired_at'}) do
  if redis.call('hexists', KEYS[1], field) == 1 then return 0 end
end
if ARGV[3] == 'expired_at' then
  for _, id in ipairs(redis.call('smembers', KEYS[2])) do
    if redis.call('exists', ARGV[5] .. id) == 1 then return 0 end
  end
end
for _, id in ipairs(redis.call('smembers', KEYS[2])) do
  if redis.call('lrem', KEYS[5], 1, id) == 1 then redis.call('del', ARGV[5] .. id) end
end
redis.call('hset', KEYS[1], ARGV[3], ARGV[1])
redis.call('zadd', KEYS[4], 'XX', 'LT', ARGV[2], ARGV[4])
for i = 6, #ARGV, 2 do
  redis.call('hincrby', KEYS[3], ARGV[i + 1], redis.call('hget', KEYS[1], ARGV[i]))
end
return 1
"""


class Batches(BatchStanding):
    """Takes batches in, says how they stand, and hears what became of them; safe to share between
    threads.

    Each method raises QueueDown when the queue server can't be reached.
    """

    @outages_named()
    def submit(
        self,
        items: Sequence[Item],
        *,
        name: str | None = None,
        terms: Terms = NO_TERMS,
        batch_id: str | None = None,
    ) -> str:
        """Put all items on the batch queue; the batch's id, which is `batch_id` if that is given.
        `name` is the client's own for it. With an idempotency key that came before the id is the
        earlier batch's, and nothing is queued.

        Raises:
            QueueFull: too much waits.
            KeyReused: another request had the key.
        """
        new_id = batch_id or uuid4().hex
        parts = _CHUNKS_A_WORKER * max(1, self.connection.scard(WORKERS))
        chunks = list(_chunks(items, parts))

        def enqueue(pipe: Pipeline) -> str:
            if terms.key and (found := idempotency.earlier(pipe, terms.key)):
                return found
            if self._batch.count + len(chunks) > self._max_queue:
                raise QueueFull(f"the batch queue has no room for {len(items)} items now")
            pipe.multi()
            self._write(pipe, new_id, items, name, terms)
            for model, numbers in chunks:
                self._push(pipe, new_id, model, numbers)
            return new_id

        watched = [terms.key.name] if terms.key else []
        queued: Any = self.connection.transaction(
            enqueue,  # type: ignore[arg-type]  # redis-py forgets that it may have a value
            *watched,
            value_from_callable=True,
        )
        return str(queued)

    @outages_named()
    def cancel(self, batch_id: str) -> BatchView:
        """Leave undone what is not done; what is, stays. A batch that has ended stays as it is.

        Raises:
            UnknownBatch: there is none.
        """
        view = self.read(batch_id)
        if view.status.is_final:
            return view
        self._leave(view, Status.CANCELED)
        return self.read(batch_id)

    # The rest is the worker's side.

    @outages_named()
    def begin(self, batch_id: str) -> BatchView:
        """Say that a worker has come to the batch; as it stands then."""
        if self.connection.exists(key_of(batch_id)):
            self.connection.hsetnx(key_of(batch_id), "started_at", now().isoformat())
        return self.read(batch_id)

    @outages_named()
    def is_wanted(self, batch_id: str) -> bool:
        """Whether what is left of the batch is still to be done: it is known, and was not left."""
        total, *ended = self.connection.hmget(
            key_of(batch_id), "total", "canceled_at", "expired_at"
        )
        return total is not None and ended == [None, None]

    @outages_named()
    def note(self, batch_id: str, model: str, outcomes: Mapping[int, Result | Failure]) -> bool:
        """Write down what became of items, all for one model; False if the batch was left, and then
        nothing is.
        """
        lines: list[Any] = []
        for number, outcome in outcomes.items():
            text, status = write_outcome(outcome)
            lines += [number, text, status.value, items_field(model, status)]
        at = now()
        keys = [key_of(batch_id), key_of(batch_id, "results"), COUNTS, DUE]
        subject = outbox.batch(batch_id)
        args: list[Any] = [
            at.isoformat(),
            self._record_ttl_s,
            LEFT + model,
            at.timestamp(),
            subject,
        ]
        is_noted = self.connection.register_script(_NOTE)(keys=keys, args=[*args, *lines])
        seconds = [one.metrics.predict_s for one in outcomes.values() if isinstance(one, Result)]
        if is_noted and seconds:
            with self.connection.pipeline(transaction=False) as pipe:
                count_pass(pipe, model, max(seconds), items=len(seconds))
                pipe.execute()
        return bool(is_noted)

    @outages_named()
    def suspect(self, batch_id: str, chunk: int, number: int | None) -> int | None:
        """Remember which item of a chunk is being tried alone; what was remembered before."""
        field = f"suspect-{chunk}"
        before = self.connection.hget(key_of(batch_id), field)
        if number is None:
            self.connection.hdel(key_of(batch_id), field)
        else:
            self.connection.hset(key_of(batch_id), field, number)
        return int(before) if before else None

    @outages_named()
    def spare(self, batch_id: str, number: int) -> bool:
        """Whether an item that a worker died over is to be tried once more: the first time."""
        return bool(self.connection.hsetnx(key_of(batch_id), f"spared-{number}", 1))

    @outages_named()
    def put_back(self, batch_id: str, model: str, numbers: Sequence[int]) -> None:
        """Put a chunk that was begun back, before all others."""
        with self.connection.pipeline() as pipe:
            pipe.multi()  # else RQ does, and too late
            self._push(pipe, batch_id, model, numbers, at_front=True)
            pipe.execute()

    def _read(self, batch_ids: Sequence[str]) -> list[BatchView | None]:
        """The batches as they stand. One whose chunks have all expired in the queue ends here: that
        happens unseen, and whoever wants to know of the batch looks at it sooner or later.
        """
        views = super()._read(batch_ids)
        oldest = now() - timedelta(seconds=self._waiting_ttl_s)
        late = [
            view
            for view in views
            if view and not view.status.is_final and view.created_at <= oldest
        ]
        ended = [self._leave(view, Status.EXPIRED) for view in late]
        if any(ended):
            views = super()._read(batch_ids)
        return views

    def _leave(self, view: BatchView, status: Status) -> bool:
        """End the batch with the rest undone; False if it had ended. It expires only when none of
        its chunks waits or is being done.
        """
        at = now()
        args: list[Any] = [
            at.isoformat(),
            at.timestamp(),
            f"{status}_at",
            outbox.batch(view.id),
            Job.key_for(""),
        ]
        for model in view.models:
            args += [LEFT + model, items_field(model, status)]
        keys = [key_of(view.id), key_of(view.id, "chunks"), COUNTS, DUE, self._batch.key]
        return bool(self.connection.register_script(_LEAVE)(keys=keys, args=args))

    def _write(
        self,
        pipe: Pipeline,
        batch_id: str,
        items: Sequence[Item],
        name: str | None,
        terms: Terms,
    ) -> None:
        refused = {n: item.refusal for n, item in enumerate(items) if item.refusal}
        models = Counter(item.request.model for item in items if item.request)
        record: dict[Any, Any] = {
            "total": len(items),
            "refused": len(refused),
            "succeeded": 0,
            "failed": len(refused),
            "created_at": now().isoformat(),
            **{LEFT + model: count for model, count in models.items()},
        }
        record |= {k: v for k, v in (("name", name), ("request_id", terms.request_id)) if v}
        if trace := tracing.current():
            record["trace"] = json.dumps(trace)
        if len(refused) == len(items):
            record["finished_at"] = record["created_at"]
        pipe.hset(key_of(batch_id), mapping=record)
        lines: dict[Any, Any] = {n: json.dumps(item.to_json()) for n, item in enumerate(items)}
        pipe.hset(key_of(batch_id, "items"), mapping=lines)
        if refused:
            noted: dict[Any, Any] = {n: write_outcome(r)[0] for n, r in refused.items()}
            pipe.hset(key_of(batch_id, "results"), mapping=noted)
            pipe.hincrby(COUNTS, items_field("", Status.FAILED), len(refused))
        for part in ("", "items", "results"):
            pipe.expire(key_of(batch_id, part), self._record_ttl_s)
        add_to_index(pipe, BATCHES, batch_id, ttl_s=self._record_ttl_s)
        if terms.key:
            idempotency.remember(pipe, terms.key, batch_id)
        if terms.webhook:
            outbox.expect(pipe, outbox.batch(batch_id), terms.webhook)
            if "finished_at" in record:
                outbox.hasten(pipe, outbox.batch(batch_id))

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
        pipe.hset(records.key_of(job_id), mapping=said)
        pipe.expire(records.key_of(job_id), self._record_ttl_s)
        pipe.sadd(key_of(batch_id, "chunks"), job_id)
        pipe.expire(key_of(batch_id, "chunks"), self._record_ttl_s)
        self._batch.enqueue_call(
            CHUNK_FUNCTION,
            args=(batch_id, model, list(numbers)),
            job_id=job_id,
            timeout=self._job_timeout_s * len(numbers),
            ttl=self._waiting_ttl_s,
            result_ttl=0,
            failure_ttl=int(self._result_ttl.total_seconds()),
            retry=Retry(max=CHUNK_RETRIES, enqueue_at_front=True),
            at_front=at_front,
            pipeline=pipe,
        )


def _chunks(items: Sequence[Item], parts: int) -> Iterator[tuple[str, list[int]]]:
    """Models, each with numbers of items that want it, in order; about so many parts a model."""
    by_model: dict[str, list[int]] = {}
    for number, item in enumerate(items):
        if item.request:
            by_model.setdefault(item.request.model, []).append(number)
    for model, numbers in by_model.items():
        size = min(max(ceil(len(numbers) / parts), CHUNK_SIZES[0]), CHUNK_SIZES[-1])
        for first in range(0, len(numbers), size):
            yield model, numbers[first : first + size]
