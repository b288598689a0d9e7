"""Jobs between the web process and the workers, on RQ over Valkey or Redis. Free of torch.

RQ carries a job's id from a queue to a worker and brings it back when the worker dies. What a
person may ask about it (the request, its stage, how it ended) is one hash of ours, the record,
whose field `outcome` is written once: whoever ends a job first has ended it. So a cancel, a time
limit and a worker that was thought dead may all race, and the job still finishes exactly once.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from time import monotonic
from typing import Any, Self
from uuid import uuid4

import redis
from redis.backoff import NoBackoff
from redis.client import Pipeline
from redis.retry import Retry as ConnectionRetry
from rq import Queue, Retry
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.utils import as_text

from worker.messages import Failure, Request, Result
from worker.settings import Settings

INTERACTIVE = "wordbrush-interactive"  # a person waits for these
BATCH = "wordbrush-batch"  # served when nobody waits
FUNCTION = "worker.jobs.run"  # the one name a worker answers to
PRESENCE_TTL_S = 15  # a worker not heard of for so long is taken for dead

_RETRIES = 2  # times that a job survives the death of its worker
_TOMBSTONE_S = 24 * 3600  # how long an expired job is told from one that never was
_WAIT_SLICE_S = 1.0  # a job whose worker died tells nobody; so look again now and then
_SOCKET_TIMEOUT_S = 10.0
_WORKERS = "wordbrush:workers"
_JOB_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class UnknownJob(LookupError):
    """There is no such job, or it is long forgotten."""


class QueueDown(ConnectionError):
    """The queue server can't be reached."""


class QueueFull(RuntimeError):
    """More jobs wait than the queue takes."""


class Status(StrEnum):
    """Where a job is."""

    QUEUED = "queued"
    STARTING = "starting"  # a worker has it and loads the model
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    EXPIRED = "expired"  # it ended, or waited, longer ago than anything is kept

    @property
    def is_final(self) -> bool:
        return self not in (Status.QUEUED, Status.STARTING, Status.PROCESSING)


@dataclass(frozen=True)
class JobView:
    """A job as it stood when it was read."""

    id: str
    request: Request
    status: Status
    queue_position: int | None  # jobs ahead of it; None unless queued
    result: Result | None
    error: Failure | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    expires_at: datetime | None


@dataclass(frozen=True)
class WorkerView:
    """A live worker and the models it has in memory."""

    name: str
    pid: int
    host: str
    device: str
    models: tuple[str, ...]


@contextmanager
def _outages_named() -> Iterator[None]:
    """redis-py's errors as ours."""
    try:
        yield
    except (redis.ConnectionError, redis.TimeoutError) as error:
        raise QueueDown(f"the queue server can't be reached: {error}") from error
    except redis.OutOfMemoryError as error:
        raise QueueFull("the queue server is out of memory") from error


class JobQueue:
    """Puts jobs in, says how they stand, and waits for them; safe to share between threads.

    Each method raises QueueDown when the queue server can't be reached.
    """

    def __init__(
        self,
        redis_url: str,
        *,
        max_queue: int = 1000,
        job_timeout_s: int = 60,
        result_ttl_s: int = 24 * 3600,
        waiting_ttl_s: int = 24 * 3600,
    ) -> None:
        self.connection = redis.Redis.from_url(
            redis_url,
            socket_timeout=_SOCKET_TIMEOUT_S,
            retry=ConnectionRetry(NoBackoff(), 1),  # a person waits: say soon that it is down
        )
        self._max_queue = max_queue
        self._job_timeout_s = job_timeout_s
        self._result_ttl = timedelta(seconds=result_ttl_s)
        self._waiting_ttl_s = waiting_ttl_s
        self._record_ttl_s = waiting_ttl_s + result_ttl_s + _TOMBSTONE_S
        self._interactive, self._batch = (
            Queue(name, connection=self.connection, serializer=JSONSerializer)
            for name in (INTERACTIVE, BATCH)
        )

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        return cls(
            settings.redis_url,
            max_queue=settings.max_queue,
            job_timeout_s=settings.job_timeout_s,
            result_ttl_s=settings.result_ttl_s,
            waiting_ttl_s=settings.upload_ttl_s,
        )

    @_outages_named()
    def submit(self, request: Request, *, batch: bool = False, job_id: str | None = None) -> str:
        """Put `request` on a queue and return the job's id.

        A `job_id` that is already taken is returned as it is and nothing is queued, so that a
        client may ask twice. It has 1 to 64 letters, digits, `-` and `_`.

        Raises:
            QueueFull: too many jobs wait.
        """
        job_id = job_id or uuid4().hex
        if not _JOB_ID.fullmatch(job_id):
            raise ValueError("a job's id has 1 to 64 letters, digits, - and _")

        def enqueue(pipe: Pipeline) -> None:
            if pipe.exists(_record(job_id)):
                return
            self._check_room()
            pipe.multi()
            pipe.hset(_record(job_id), "request", json.dumps(request.to_json()))
            pipe.hset(_record(job_id), "created_at", _now().isoformat())
            pipe.expire(_record(job_id), self._record_ttl_s)
            self._push(job_id, self._batch if batch else self._interactive, pipe)

        self.connection.transaction(enqueue, _record(job_id))
        return job_id

    @_outages_named()
    def read(self, job_id: str) -> JobView:
        """The job as it stands.

        Raises:
            UnknownJob: there is none.
        """
        with self.connection.pipeline() as pipe:
            pipe.hgetall(_record(job_id))
            pipe.lpos(self._interactive.key, job_id)
            pipe.lpos(self._batch.key, job_id)
            pipe.llen(self._interactive.key)
            pipe.hget(Job.key_for(job_id), "status")
            raw, ahead, ahead_in_batch, interactive, carrier = pipe.execute()
        if b"request" not in raw:
            raise UnknownJob("there is no such job")
        if ahead is None and ahead_in_batch is not None:
            ahead = interactive + ahead_in_batch
        record = {key.decode(): value.decode() for key, value in raw.items()}
        return self._view(job_id, record, ahead, carrier and carrier.decode())

    @_outages_named()
    def wait(self, job_id: str, timeout_s: float) -> JobView:
        """The job as soon as it has ended, or as it stands after `timeout_s`.

        Raises:
            UnknownJob: there is none.
        """
        deadline = monotonic() + timeout_s
        while not (view := self.read(job_id)).status.is_final:
            if (left_s := deadline - monotonic()) <= 0:
                break
            block_ms = max(1, int(min(left_s, _WAIT_SLICE_S) * 1000))
            self.connection.xread({_bell(job_id): 0}, block=block_ms)
        return view

    @_outages_named()
    def cancel(self, job_id: str) -> JobView:
        """End the job unless it has ended; a worker that has it will notice and drop it.

        Raises:
            UnknownJob: there is none.
        """
        self.read(job_id)
        self._end(job_id, {"status": Status.CANCELED})
        for queue in (self._interactive, self._batch):
            if self.connection.lrem(queue.key, 1, job_id):
                self.connection.delete(Job.key_for(job_id))
        return self.read(job_id)

    @_outages_named()
    def depth(self) -> int:
        """How many jobs wait for a worker."""
        with self.connection.pipeline() as pipe:
            pipe.llen(self._interactive.key)
            pipe.llen(self._batch.key)
            return sum(pipe.execute())

    @_outages_named()
    def ping(self) -> None:
        """Nothing, if the queue server answers."""
        self.connection.ping()

    @_outages_named()
    def workers(self) -> list[WorkerView]:
        """The workers that are alive and ready, by name."""
        names = sorted(as_text(name) for name in self.connection.smembers(_WORKERS))
        found = {name: self.connection.get(_presence(name)) for name in names}
        if dead := [name for name, text in found.items() if text is None]:
            self.connection.srem(_WORKERS, *dead)
        fields = [json.loads(text) for text in found.values() if text is not None]
        return [WorkerView(**f | {"models": tuple(f["models"])}) for f in fields]

    def ready_models(self) -> frozenset[str]:
        """The models that some live worker has in memory."""
        return frozenset(model for worker in self.workers() for model in worker.models)

    # The rest is the worker's side.

    @_outages_named()
    def mark(self, job_id: str, stage: Status) -> None:
        """Say that a worker has the job and what it is doing."""
        self.connection.hset(_record(job_id), "stage", stage.value)
        if stage is Status.STARTING:
            self.connection.hset(_record(job_id), "started_at", _now().isoformat())

    @_outages_named()
    def finish(self, job_id: str, outcome: Result | Failure) -> bool:
        """Write down how the job ended; False if it had ended before, and then nothing changes."""
        if isinstance(outcome, Result):
            return self._end(job_id, {"status": Status.SUCCEEDED, "result": outcome.to_json()})
        return self._end(job_id, {"status": Status.FAILED, "error": outcome.to_json()})

    @_outages_named()
    def has_ended(self, job_id: str) -> bool:
        return bool(self.connection.hexists(_record(job_id), "outcome"))

    @_outages_named()
    def announce(self, worker: WorkerView) -> None:
        """Say that `worker` is alive; to be said again within PRESENCE_TTL_S."""
        with self.connection.pipeline() as pipe:
            pipe.set(_presence(worker.name), json.dumps(asdict(worker)), ex=PRESENCE_TTL_S)
            pipe.sadd(_WORKERS, worker.name)
            pipe.expire(_WORKERS, self._record_ttl_s)
            pipe.execute()

    @_outages_named()
    def retract(self, name: str) -> None:
        """Say that the worker called `name` is gone."""
        self.connection.delete(_presence(name))

    def _check_room(self) -> None:
        if (depth := self.depth()) >= self._max_queue:
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
            retry=Retry(max=_RETRIES, enqueue_at_front=True),
            pipeline=pipe,
        )

    def _end(self, job_id: str, outcome: Mapping[str, Any]) -> bool:
        with self.connection.pipeline() as pipe:
            pipe.hsetnx(_record(job_id), "outcome", json.dumps(outcome))
            pipe.hsetnx(_record(job_id), "finished_at", _now().isoformat())
            pipe.expire(_record(job_id), self._record_ttl_s)
            pipe.xadd(_bell(job_id), {"ended": 1}, maxlen=1)  # a stream: it wakes all who wait
            pipe.expire(_bell(job_id), self._record_ttl_s)
            is_first, *_ = pipe.execute()
        return bool(is_first)

    def _view(
        self, job_id: str, record: Mapping[str, str], ahead: int | None, carrier: str | None
    ) -> JobView:
        outcome = json.loads(record["outcome"]) if "outcome" in record else {}
        finished_at = _time(record.get("finished_at"))
        expires_at = finished_at and finished_at + self._result_ttl
        status = Status(outcome["status"]) if outcome else _unfinished(record, ahead, carrier)
        if expires_at and expires_at <= _now():
            status, outcome = Status.EXPIRED, {}
        if status is Status.FAILED and not outcome:
            outcome = {"error": asdict(_LOST)}
        return JobView(
            id=job_id,
            request=Request.from_json(json.loads(record["request"])),
            status=status,
            queue_position=ahead if status is Status.QUEUED else None,
            result=Result.from_json(outcome["result"]) if "result" in outcome else None,
            error=Failure(**outcome["error"]) if "error" in outcome else None,
            created_at=datetime.fromisoformat(record["created_at"]),
            started_at=_time(record.get("started_at")),
            finished_at=finished_at,
            expires_at=expires_at,
        )


_LOST = Failure(
    "The job was lost",
    f"The worker died {_RETRIES + 1} times over this job, so it was given up.",
    retryable=True,
)


def _unfinished(record: Mapping[str, str], ahead: int | None, carrier: str | None) -> Status:
    """The status of a job with no outcome; `carrier` is what RQ says of it."""
    if ahead is not None:
        return Status.QUEUED
    if carrier is None:
        return Status.EXPIRED
    if carrier == "failed":
        return Status.FAILED
    return Status(record.get("stage", Status.STARTING))


def _record(job_id: str) -> str:
    return f"wordbrush:job:{job_id}"


def _bell(job_id: str) -> str:
    return f"wordbrush:ended:{job_id}"


def _presence(name: str) -> str:
    return f"wordbrush:worker:{name}"


def _now() -> datetime:
    return datetime.now(UTC)


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
