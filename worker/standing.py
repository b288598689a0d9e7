"""How jobs and workers stand, as anybody may ask. Free of torch."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from typing import Literal

from rq.job import Job
from rq.utils import as_text

from worker import events
from worker.connection import outages_named
from worker.kept import Kept
from worker.listing import JOBS, Page, Wanted, read_page
from worker.messages import Request
from worker.metrics import Tally
from worker.pace import Begun, read_load, read_paces, seconds_left
from worker.records import JobView, UnknownJob, key_of, now, read_record

WORKERS = "wordbrush:workers"
MISSED = "wordbrush:missed-models"  # since when each is, of those that jobs wait for in vain

_WAIT_SLICE_S = 1.0  # a job whose worker died tells nobody; so look again now and then
_LOOKED_AT = 100  # jobs ahead of one whose time is estimated; further ones are like these


@dataclass(frozen=True)
class Doing:
    """What a worker has in hand."""

    kind: Literal["job", "batch", "import", "direct"]  # direct: of another program, over RQ
    id: str


@dataclass(frozen=True)
class WorkerView:
    """A live worker, the models it has in memory and those that it can load."""

    name: str
    pid: int
    host: str
    device: str
    models: tuple[str, ...]
    memory_bytes: Mapping[str, int] = field(default_factory=dict)  # by kind, as memory.py says
    served: tuple[str, ...] = ()
    doing: Doing | None = None


class Standing(Kept[JobView]):
    """Reads what the queue server knows; safe to share between threads.

    Each method raises QueueDown when the queue server can't be reached.
    """

    _unknown = UnknownJob

    @outages_named()
    def requests(self, job_ids: Sequence[str]) -> list[Request | None]:
        """What was asked for in each job, None for one that is unknown."""
        with self.connection.pipeline() as pipe:
            for job_id in job_ids:
                pipe.hget(key_of(job_id), "request")
            answers = pipe.execute()
        return [Request.from_json(json.loads(text)) if text else None for text in answers]

    @outages_named()
    def page(self, wanted: Wanted, *, cursor: str | None = None, limit: int = 20) -> Page[JobView]:
        """The newest jobs that are wanted, or those before `cursor`, which a page before gave."""
        return read_page(
            self.connection, JOBS, self._read, wanted.takes, cursor=cursor, limit=limit
        )

    @outages_named()
    def seconds_left(self, view: JobView) -> float | None:
        """About how long it will take until the job has ended; None if nobody can know."""
        if view.status.is_final:
            return None
        ahead, begun, workers = self._ahead(view), self._begun(), self.workers()
        in_hand = [one.request for one in begun if one.request]
        model = view.request.model
        is_loaded = any(model in worker.models for worker in workers)
        return seconds_left(
            view,
            ahead,
            read_paces(self.connection, [view.request, *ahead, *in_hand]),
            begun=begun,
            workers=len(workers),
            load_s=0.0 if is_loaded else read_load(self.connection, model),
        )

    @outages_named()
    def wait(
        self, job_id: str, timeout_s: float, is_over: Callable[[], bool] = lambda: False
    ) -> JobView:
        """The job as soon as it has ended, or as it stands after `timeout_s`, or a moment after
        `is_over` says that nobody should wait any longer.

        Raises:
            UnknownJob: there is none.
        """
        deadline = monotonic() + timeout_s
        last = events.START
        while not (view := self.read(job_id)).status.is_final:
            if (left_s := deadline - monotonic()) <= 0 or is_over():
                break
            slice_s = min(left_s, _WAIT_SLICE_S)
            for event in events.await_events(
                self.connection, job_id, after=last, timeout_s=slice_s
            ):
                last = event.id
        return view

    @outages_named()
    def depth(self) -> int:
        """How many jobs wait for a worker."""
        return sum(self.depths().values())

    @outages_named()
    def depths(self) -> dict[str, int]:
        """The same by queue."""
        queues = {"interactive": self._interactive, "batch": self._batch}
        with self.connection.pipeline() as pipe:
            for queue in queues.values():
                pipe.llen(queue.key)
            return dict(zip(queues, pipe.execute(), strict=True))

    @outages_named()
    def tally(self) -> Tally:
        """What was counted of jobs and models since the queue server's data began."""
        return Tally(self.connection)

    @outages_named()
    def ping(self) -> None:
        """Nothing, if the queue server answers."""
        self.connection.ping()

    @outages_named()
    def workers(self) -> list[WorkerView]:
        """The workers that are alive and ready, by name."""
        names = sorted(as_text(name) for name in self.connection.smembers(WORKERS))
        with self.connection.pipeline() as pipe:
            for name in names:
                pipe.get(presence_key(name))
                pipe.get(doing_key(name))
            answers = pipe.execute()
        found = dict(zip(names, zip(answers[::2], answers[1::2], strict=True), strict=True))
        if dead := [name for name, (text, _) in found.items() if text is None]:
            self.connection.srem(WORKERS, *dead)
        return [_worker(text, doing) for text, doing in found.values() if text is not None]

    def ready_models(self) -> frozenset[str]:
        """The models that some live worker has in memory."""
        return frozenset(model for worker in self.workers() for model in worker.models)

    def served_models(self) -> frozenset[str]:
        """The models that some live worker has in memory or can load."""
        return self.ready_models().union(*(worker.served for worker in self.workers()))

    def _read(self, job_ids: Sequence[str]) -> list[JobView | None]:
        """The jobs as they stand, None for one that is unknown."""
        with self.connection.pipeline() as pipe:
            pipe.llen(self._interactive.key)
            for job_id in job_ids:
                pipe.hgetall(key_of(job_id))
                pipe.lpos(self._interactive.key, job_id)
                pipe.lpos(self._batch.key, job_id)
                pipe.hget(Job.key_for(job_id), "status")
            interactive, *answers = pipe.execute()
        return [
            self._view(job_id, *answers[4 * n : 4 * n + 4], interactive=interactive)
            for n, job_id in enumerate(job_ids)
        ]

    def _view(
        self,
        job_id: str,
        raw: Mapping[bytes, bytes],
        ahead: int | None,
        ahead_in_batch: int | None,
        carrier: bytes | None,
        *,
        interactive: int,
    ) -> JobView | None:
        if b"request" not in raw:
            return None
        if ahead is None and ahead_in_batch is not None:
            ahead = interactive + ahead_in_batch
        return read_record(
            job_id,
            {key.decode(): value.decode() for key, value in raw.items()},
            ahead=ahead,
            carrier=carrier.decode() if carrier else None,
            result_ttl=self._result_ttl,
        )

    def _begun(self) -> list[Begun]:
        """What is being done; RQ lists a job for a while after it has ended."""
        with self.connection.pipeline() as pipe:
            for queue in (self._interactive, self._batch):
                pipe.zrange(queue.started_job_registry.key, 0, -1)
            listed = [as_text(one) for some in pipe.execute() for one in some]
            for execution in listed:
                record = key_of(execution.partition(":")[0])
                pipe.hmget(record, "request", "started_at", "outcome")
            answers = pipe.execute()
        return [_begun(asked, at) for asked, at, outcome in answers if not outcome]

    def _ahead(self, view: JobView) -> list[Request]:
        """What waits before a job that waits; the first of it stands for what is beyond."""
        if not (count := view.queue_position or 0):
            return []
        with self.connection.pipeline() as pipe:
            for queue in (self._interactive, self._batch):
                pipe.lrange(queue.key, 0, min(count, _LOOKED_AT) - 1)
            waiting = [as_text(job_id) for listed in pipe.execute() for job_id in listed]
        requests = self.requests(waiting[: min(count, _LOOKED_AT)])
        known = [request for request in requests if request is not None]
        return [known[n % len(known)] for n in range(count)] if known else []


def _begun(asked: bytes | None, started_at: bytes | None) -> Begun:
    started = datetime.fromisoformat(as_text(started_at)) if started_at else now()
    request = Request.from_json(json.loads(asked)) if asked else None
    return Begun(request, (now() - started).total_seconds())


def _worker(text: bytes, doing: bytes | None) -> WorkerView:
    fields = json.loads(text)
    lists = {name: tuple(fields[name]) for name in ("models", "served")}
    return WorkerView(**fields | lists | {"doing": Doing(**json.loads(doing)) if doing else None})


def presence_key(name: str) -> str:
    """Where a worker says that it lives."""
    return f"wordbrush:worker:{name}"


def doing_key(name: str) -> str:
    """Where a worker says what it has in hand."""
    return f"{presence_key(name)}:doing"
