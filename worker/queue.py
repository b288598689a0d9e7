"""Jobs between the web process and the workers, on RQ over Valkey or Redis. Free of torch.

RQ carries a job's id from a queue to a worker and brings it back when the worker dies. What a
person may ask about it (the request, its stage, how it ended) is a record of ours (records.py),
and what happens to it is a stream (events.py).
"""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from redis.client import Pipeline
from rq import Queue, Retry
from rq.job import Job
from rq.utils import as_text

from worker import events, idempotency, outbox, tracing
from worker.connection import QueueDown, QueueFull, outages_named
from worker.idempotency import IdempotencyKey
from worker.kept import BATCH, INTERACTIVE
from worker.listing import JOBS, add_to_index
from worker.messages import Failure, Request, Result
from worker.metrics import MODEL_LOAD, count_end, observe
from worker.pace import note_load, note_pace
from worker.records import RETRIES, JobView, Status, UnknownJob, key_of, now
from worker.standing import (
    MISSED,
    WORKERS,
    Doing,
    Standing,
    WorkerView,
    doing_key,
    presence_key,
)

__all__ = [
    "BATCH",
    "INTERACTIVE",
    "JobQueue",
    "JobView",
    "QueueDown",
    "QueueFull",
    "Status",
    "UnknownJob",
    "WorkerView",
]

FUNCTION = "worker.jobs.run"  # the one name a worker answers to
PRESENCE_TTL_S = 15  # a worker not heard of for so long is taken for dead

_JOB_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True)
class Terms:
    """What a client says of its job besides what to draw."""

    request_id: str | None = None  # of the HTTP request, as logs have it
    key: IdempotencyKey | None = None
    webhook: str | None = None  # an address that is to hear how it ended


NO_TERMS = Terms()


class JobQueue(Standing):
    """Puts jobs in, says how they stand, and ends them; safe to share between threads.

    Each method raises QueueDown when the queue server can't be reached.
    """

    @outages_named()
    def submit(
        self,
        request: Request,
        *,
        batch: bool = False,
        job_id: str | None = None,
        terms: Terms = NO_TERMS,
    ) -> str:
        """Put `request` on a queue and return the job's id.

        A `job_id` that is already taken is returned as it is and nothing is queued, so that a
        client may ask twice; so is the job that came with the same idempotency key. An id has 1 to
        64 letters, digits, `-` and `_`.

        Raises:
            QueueFull: too many jobs wait.
            KeyReused: another request had the idempotency key.
        """
        job_id = job_id or uuid4().hex
        if not _JOB_ID.fullmatch(job_id):
            raise ValueError("a job's id has 1 to 64 letters, digits, - and _")

        record: dict[Any, Any] = {
            "request": json.dumps(request.to_json()),
            "model": request.model,  # by itself, since routing looks at many
            "created_at": now().isoformat(),
        }
        if trace := tracing.current():
            record["trace"] = json.dumps(trace)
        if terms.request_id:
            record["request_id"] = terms.request_id
        watched = [key_of(job_id), *([terms.key.name] if terms.key else [])]

        def enqueue(pipe: Pipeline) -> str:
            if terms.key and (found := idempotency.earlier(pipe, terms.key)):
                return found
            if pipe.exists(key_of(job_id)):
                return job_id
            self._check_room(batch=batch)
            pipe.multi()
            pipe.hset(key_of(job_id), mapping=record)
            pipe.expire(key_of(job_id), self._record_ttl_s)
            events.append(pipe, job_id, Status.QUEUED, ttl_s=self._record_ttl_s)
            add_to_index(pipe, JOBS, job_id, ttl_s=self._record_ttl_s)
            if terms.webhook:
                outbox.expect(pipe, outbox.job(job_id), terms.webhook)
            if terms.key:
                idempotency.remember(pipe, terms.key, job_id)
            self._push(job_id, self._batch if batch else self._interactive, pipe)
            return job_id

        queued: Any = self.connection.transaction(
            enqueue,  # type: ignore[arg-type]  # redis-py forgets that it may have a value
            *watched,
            value_from_callable=True,
        )
        return str(queued)

    @outages_named()
    def cancel(self, job_id: str) -> JobView:
        """End the job unless it has ended; a worker that has it will notice and drop it.

        Raises:
            UnknownJob: there is none.
        """
        self.read(job_id)
        self._end(job_id, {"status": Status.CANCELED})
        self._drop(job_id)
        return self.read(job_id)

    # The rest is the worker's side.

    @outages_named()
    def mark(self, job_id: str, stage: Status) -> None:
        """Say that a worker has the job and what it is doing."""
        with self.connection.pipeline() as pipe:
            pipe.hset(key_of(job_id), mapping={"stage": stage.value, "progress": "0"})
            if stage is Status.STARTING:
                pipe.hset(key_of(job_id), "started_at", now().isoformat())
            events.append(pipe, job_id, stage, ttl_s=self._record_ttl_s)
            pipe.execute()

    @outages_named()
    def advance(self, job_id: str, progress: float) -> None:
        """Say how much of a job that is processed is done, from 0 to 1."""
        with self.connection.pipeline() as pipe:
            pipe.hset(key_of(job_id), "progress", f"{progress:.4g}")
            events.append(
                pipe, job_id, Status.PROCESSING, progress=progress, ttl_s=self._record_ttl_s
            )
            pipe.execute()

    @outages_named()
    def note_pace(
        self, request: Request, *, seconds: float, pictures: int, batch: bool = False
    ) -> None:
        """Say how long a pass took a worker, for as many pictures such as those of `request`; of a
        `batch`, or of what people asked for.
        """
        note_pace(self.connection, request, seconds=seconds, pictures=pictures, batch=batch)

    @outages_named()
    def note_load(self, model: str, seconds: float) -> None:
        """Say how long it took to get a model into memory."""
        with self.connection.pipeline() as pipe:
            observe(pipe, MODEL_LOAD, model, seconds)
            pipe.execute()
        note_load(self.connection, model, seconds)

    @outages_named()
    def finish(self, job_id: str, outcome: Result | Failure) -> bool:
        """Write down how the job ended; False if it had ended before, and then nothing changes."""
        if isinstance(outcome, Result):
            return self._end(job_id, {"status": Status.SUCCEEDED, "result": outcome.to_json()})
        return self._end(job_id, {"status": Status.FAILED, "error": outcome.to_json()})

    @outages_named()
    def has_ended(self, job_id: str) -> bool:
        return bool(self.connection.hexists(key_of(job_id), "outcome"))

    @outages_named()
    def announce(self, worker: WorkerView) -> None:
        """Say that `worker` is alive; to be said again within PRESENCE_TTL_S."""
        with self.connection.pipeline() as pipe:
            pipe.set(presence_key(worker.name), json.dumps(asdict(worker)), ex=PRESENCE_TTL_S)
            pipe.sadd(WORKERS, worker.name)
            pipe.expire(WORKERS, self._record_ttl_s)
            if worker.served:
                pipe.hdel(MISSED, *worker.served)
            pipe.execute()

    @outages_named()
    def note_doing(self, name: str, doing: Doing | None) -> None:
        """Say what the worker called `name` has in hand, None for nothing."""
        if doing is None:
            self.connection.delete(doing_key(name))
        else:
            text = json.dumps(asdict(doing))
            self.connection.set(doing_key(name), text, ex=self._record_ttl_s)

    @outages_named()
    def retract(self, name: str) -> None:
        """Say that the worker called `name` is gone."""
        self.connection.delete(presence_key(name), doing_key(name))

    @outages_named()
    def missed_since(self, models: Collection[str]) -> dict[str, datetime]:
        """Those of `models` that no live worker serves, and when that was seen first, by whichever
        worker looked: a worker that announces itself wipes it out. So an outage of the queue
        server, or a machine that slept, is not taken for the absence of all. What a worker has in
        memory but finds in no folder does not count: it takes no job for it.
        """
        taken = {model for worker in self.workers() for model in worker.served}
        missed = sorted(frozenset(models) - taken)
        if not missed:
            return {}
        with self.connection.pipeline() as pipe:
            for model in missed:
                pipe.hsetnx(MISSED, model, now().isoformat())
            pipe.expire(MISSED, self._record_ttl_s)
            pipe.hmget(MISSED, missed)
            since = pipe.execute()[-1]
        return {m: datetime.fromisoformat(as_text(at)) for m, at in zip(missed, since, strict=True)}

    def _read(self, job_ids: Sequence[str]) -> list[JobView | None]:
        """The jobs as they stand. One that waited too long is ended by whoever reads it first: RQ
        forgets it unseen.
        """
        views = super()._read(job_ids)
        late = [
            view.id
            for view in views
            if view and view.status is Status.EXPIRED and view.finished_at is None
        ]
        for job_id in late:
            self._end(job_id, {"status": Status.EXPIRED})
            self._drop(job_id)
        return super()._read(job_ids) if late else views

    def _drop(self, job_id: str) -> None:
        """Take a job that waits off its queue."""
        for queue in (self._interactive, self._batch):
            if self.connection.lrem(queue.key, 1, job_id):
                self.connection.delete(Job.key_for(job_id))

    def _check_room(self, *, batch: bool) -> None:
        """Each queue has its own bound: what batches leave there fills nobody else's."""
        depth = self.depths()["batch" if batch else "interactive"]
        if depth >= self._max_queue:
            raise QueueFull(f"{depth} jobs are waiting, at most {self._max_queue} may")

    def _push(self, job_id: str, queue: Queue, pipe: Pipeline) -> None:
        queue.enqueue_call(
            FUNCTION,
            args=(job_id,),
            job_id=job_id,
            timeout=self._job_timeout_s,
            ttl=self._waiting_ttl_s,
            result_ttl=int(self._result_ttl.total_seconds()),
            failure_ttl=int(self._result_ttl.total_seconds()),
            retry=Retry(max=RETRIES, enqueue_at_front=True),
            pipeline=pipe,
        )

    def _end(self, job_id: str, outcome: Mapping[str, Any]) -> bool:
        status = Status(outcome["status"])
        with self.connection.pipeline() as pipe:
            pipe.hsetnx(key_of(job_id), "outcome", json.dumps(outcome))
            pipe.hsetnx(key_of(job_id), "finished_at", now().isoformat())
            pipe.expire(key_of(job_id), self._record_ttl_s)
            pipe.hget(key_of(job_id), "request")
            outbox.hasten(pipe, outbox.job(job_id))
            is_first, _, _, request, _ = pipe.execute()
            if is_first:  # only whoever ended the job tells of it
                done = float(status is Status.SUCCEEDED)
                events.append(pipe, job_id, status, progress=done, ttl_s=self._record_ttl_s)
                if request:
                    count_end(pipe, json.loads(request)["model"], outcome)
                pipe.execute()
        return bool(is_first)
