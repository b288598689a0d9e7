"""Imports of published weights: what was given, how it goes, what came of it. Free of torch.

The web process puts the authors' files into the store and a job on the batch queue; a worker has
them made into a checkpoint (importing.py). What is known of one is a hash in the queue server.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Self
from uuid import uuid4

from rq import Queue, Retry
from rq.job import Job
from rq.serializers import JSONSerializer

from worker.connection import PATIENCE_S, QueueFull, connect, outages_named
from worker.kept import BATCH
from worker.messages import Failure
from worker.records import Status, now
from worker.settings import Settings

IMPORT_FUNCTION = "worker.imports.run"

_TIMEOUT_S = 1800  # of all of it; people are served meanwhile, which does not count
_RETRIES = 2  # times that an import outlives its worker, or a long outage of the queue server
_TITLE = "The import was lost"
_LOST = Failure(
    _TITLE, "The worker died over these files, perhaps for want of memory.", retryable=True
)
_FORGOTTEN = Failure(_TITLE, "No worker took it in time. Try again.", retryable=True)


class UnknownImport(LookupError):
    """There is no such import, or it is long forgotten."""


@dataclass(frozen=True)
class GivenFile:
    """One of the authors' files."""

    name: str  # as it was called, by letters, digits, dots, hyphens and underscores alone
    file_id: str  # of the store


@dataclass(frozen=True)
class Order:
    """What is to be imported."""

    system: str
    domain: str
    files: tuple[GivenFile, ...]
    examples: tuple[str, ...] = ()  # captions to offer in the form

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        files = tuple(GivenFile(**file) for file in data["files"])
        return cls(**dict(data) | {"files": files, "examples": tuple(data["examples"])})


@dataclass(frozen=True)
class ImportView:
    """An import as it stood when it was read."""

    id: str
    order: Order
    status: Status  # queued, processing, succeeded or failed
    progress: float  # from 0 to 1
    model: str | None  # the checkpoint's id, at the end
    error: Failure | None
    created_at: datetime
    finished_at: datetime | None


class Imports:
    """Takes imports in, says how they stand, and hears what became of them; safe to share between
    threads.

    Each method raises QueueDown when the queue server can't be reached.
    """

    def __init__(
        self, redis_url: str, *, max_queue: int, ttl_s: int, patience_s: float = PATIENCE_S
    ) -> None:
        """`patience_s` is for a queue server that is silent."""
        self._connection = connect(redis_url, patience_s=patience_s)
        self._queue = Queue(BATCH, connection=self._connection, serializer=JSONSerializer)
        self._max_queue = max_queue
        self._ttl_s = ttl_s

    @classmethod
    def from_settings(cls, settings: Settings, *, patience_s: float = PATIENCE_S) -> Self:
        return cls(
            settings.redis_url,
            max_queue=settings.max_queue,
            ttl_s=settings.upload_ttl_s,
            patience_s=patience_s,
        )

    @outages_named()
    def check_room(self) -> None:
        """Refuse what the queue has no room for, before anything is kept for it.

        Raises:
            QueueFull: as many jobs wait as may.
        """
        if self._queue.count >= self._max_queue:
            raise QueueFull("too many jobs wait")

    @outages_named()
    def submit(self, order: Order) -> str:
        """Put the import on the batch queue; its id."""
        import_id = uuid4().hex
        said: dict[Any, Any] = {
            "order": json.dumps(asdict(order)),
            "created_at": now().isoformat(),
        }
        with self._connection.pipeline() as pipe:
            pipe.multi()  # else RQ does, and too late
            pipe.hset(_key(import_id), mapping=said)
            pipe.expire(_key(import_id), self._ttl_s)
            self._queue.enqueue_call(
                IMPORT_FUNCTION,
                args=(import_id,),
                job_id=import_id,
                timeout=_TIMEOUT_S,
                ttl=self._ttl_s,
                result_ttl=0,
                failure_ttl=self._ttl_s,
                retry=Retry(max=_RETRIES),
                pipeline=pipe,
            )
            pipe.execute()
        return import_id

    @outages_named()
    def read(self, import_id: str) -> ImportView:
        """The import as it stands.

        Raises:
            UnknownImport: there is none.
        """
        with self._connection.pipeline() as pipe:
            pipe.hgetall(_key(import_id))
            pipe.hget(Job.key_for(import_id), "status")
            raw, carrier = pipe.execute()
        record = {key.decode(): value.decode() for key, value in raw.items()}
        if "order" not in record:
            raise UnknownImport("there is no such import")
        return _view(import_id, record, carrier)

    # The rest is the worker's side.

    @outages_named()
    def advance(self, import_id: str, progress: float) -> None:
        """Say that a worker is at it, and how much is done, from 0 to 1."""
        with self._connection.pipeline() as pipe:
            pipe.hset(_key(import_id), "progress", f"{progress:.3g}")
            pipe.expire(_key(import_id), self._ttl_s)
            pipe.execute()

    @outages_named()
    def finish(self, import_id: str, outcome: str | Failure) -> None:
        """Write down how it ended: with the id of a checkpoint, or a failure. What was written
        first stays, since a worker that was taken for dead may be at it still.
        """
        if isinstance(outcome, Failure):
            ended: dict[str, Any] = {"error": outcome.to_json()}
        else:
            ended = {"model": outcome}
        with self._connection.pipeline() as pipe:
            pipe.hsetnx(_key(import_id), "outcome", json.dumps(ended))
            pipe.hsetnx(_key(import_id), "finished_at", now().isoformat())
            pipe.expire(_key(import_id), self._ttl_s)
            pipe.execute()


def _view(import_id: str, record: Mapping[str, str], carrier: bytes | None) -> ImportView:
    """`carrier` is what RQ says of it, None where it knows nothing of it any more."""
    outcome = json.loads(record.get("outcome", "{}"))
    error = Failure(**outcome["error"]) if "error" in outcome else None
    if not outcome and carrier in (None, b"failed"):
        error = _LOST if carrier or "progress" in record else _FORGOTTEN
    model, finished_at = outcome.get("model"), record.get("finished_at")
    return ImportView(
        id=import_id,
        order=Order.from_json(json.loads(record["order"])),
        status=_status(record, model, error),
        progress=float(record.get("progress", 0)),
        model=model,
        error=error,
        created_at=datetime.fromisoformat(record["created_at"]),
        finished_at=datetime.fromisoformat(finished_at) if finished_at else None,
    )


def _status(record: Mapping[str, str], model: str | None, error: Failure | None) -> Status:
    if error:
        return Status.FAILED
    if model:
        return Status.SUCCEEDED
    return Status.PROCESSING if "progress" in record else Status.QUEUED


def _key(import_id: str) -> str:
    return f"wordbrush:import:{import_id}"
