"""Which worker does a job, where not every worker has every model.

All jobs wait in the same queues, in their order. A worker takes the first that it can do, and
leaves the others to the workers that can. One for a model that it would have to load first it
passes over, a few times, where another worker has that in memory or a job behind it needs no
loading: else two workers with room for one model each load one for every job. So a job need not
know who will do it, workers come and go with what they have, and nothing that waits has to be moved
when they do.
"""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from math import inf
from time import monotonic, sleep

import redis
import structlog
from rq.intermediate_queue import IntermediateQueue
from rq.utils import as_text

from worker.queue import JobQueue, QueueDown
from worker.records import UnknownJob, key_of, now
from worker.resident import LosslessQueue

ORPHAN_AFTER_S = 30.0  # a worker that has the model may be starting just now

_LOOK_AGAIN_S = 0.05  # while jobs wait that are for other workers
_LOOK_FOR_ORPHANS_S = 1.0
_LOOKED_AT = 100  # jobs of a queue, each time
_PASSES = 4  # times that a job is passed over, by any workers; so none waits for ever

_log = structlog.get_logger(__name__)

# One step, so that a job is always in one of the two lists. What has no record of ours is taken,
# to be refused. KEYS: queue, intermediate queue; ARGV, as JSON: where `records` are; models that
# this worker has in memory, `warm`; those that it would have to load and another has in memory,
# `elsewhere`; all that it can load, and records of jobs to be taken whatever their model, `ours`;
# and how often a job may be passed over, `passes`.
_TAKE = """
local asked = cjson.decode(ARGV[1])
local function set(list)
  local found = {}
  for _, one in ipairs(list) do found[one] = true end
  return found
end
local warm, elsewhere, ours = set(asked.warm), set(asked.elsewhere), set(asked.ours)
local function take(id)
  redis.call('lrem', KEYS[1], 1, id)
  redis.call('rpush', KEYS[2], id)
  return id
end
local cold
local from = 0
repeat
  local ids = redis.call('lrange', KEYS[1], from, from + 99)
  for _, id in ipairs(ids) do
    local record = asked.records .. id
    local model, passed = unpack(redis.call('hmget', record, 'model', 'passed'))
    if not model or ours[record] or ours[model] then
      local must = not model or ours[record] or tonumber(passed or 0) >= asked.passes
      if must or warm[model] then
        if cold then redis.call('hincrby', cold.record, 'passed', 1) end
        return take(id)
      end
      cold = cold or {id = id, record = record, model = model}
    end
  end
  from = from + 100
until cold or #ids == 0
if not cold then return false end
if elsewhere[cold.model] then
  redis.call('hincrby', cold.record, 'passed', 1)
  return false
end
return take(cold.id)
"""


def routed_queue(
    jobs: JobQueue,
    served: Callable[[], Collection[str]],
    resident: Callable[[], Collection[str]],
) -> type[LosslessQueue]:
    """The queues as a worker sees them that can load the models `served` and has those `resident`
    in memory; both may change.
    """
    take_first = jobs.connection.register_script(_TAKE)
    orphans = _Orphans(jobs)

    def elsewhere() -> set[str]:
        """The models that some worker has in memory, and this one could load."""
        cold = {*served()} - {*resident()}
        if cold:
            with suppress(QueueDown):  # RQ waits for the queue server, and knows no such error
                return cold & jobs.ready_models()
        return set()

    class RoutedQueue(LosslessQueue):
        @classmethod
        def pop(
            cls, keys: list[str], connection: redis.Redis, *, block: bool
        ) -> tuple[str, str] | None:
            """The first job of ours, by queue and id; waits a moment for one if there is none."""
            if not any(connection.llen(key) for key in keys):  # as a rule; the rest costs more
                return cls._first_to_come(keys, connection) if block else None
            lost = orphans.found(keys)
            asked = {
                "records": key_of(""),
                "warm": [*resident()],
                "elsewhere": [*elsewhere()],
                "ours": [*served(), *map(key_of, lost)],
                "passes": _PASSES,
            }
            for key in keys:
                places = [key, IntermediateQueue.get_intermediate_queue_key(key)]
                if found := take_first(keys=places, args=[json.dumps(asked)]):
                    if (job_id := as_text(found)) in lost:
                        _log.warning("no worker serves it", job_id=job_id, model=lost[job_id])
                    return key, job_id
            if block:
                sleep(_LOOK_AGAIN_S)
            return None

        @classmethod
        def has_expired(cls, job_id: str) -> None:
            with suppress(QueueDown, UnknownJob):  # of a batch, or of another program
                jobs.read(job_id)  # which writes down that it has ended

        @classmethod
        def _first_to_come(cls, keys: list[str], connection: redis.Redis) -> tuple[str, str] | None:
            """What comes into the empty first queue next, unless it is for others, or another has
            its model in memory: then it goes back.
            """
            key = keys[0]
            if (popped := cls.await_next(key, connection)) is None:
                return None
            model = connection.hget(key_of(popped[1]), "model")
            if model is None or as_text(model) in {*served()} - elsewhere():
                return popped
            with connection.pipeline() as pipe:
                pipe.lpush(key, popped[1])
                pipe.lrem(IntermediateQueue.get_intermediate_queue_key(key), 1, popped[1])
                pipe.execute()
            sleep(_LOOK_AGAIN_S)
            return None

    return RoutedQueue


class _Orphans:
    """Jobs for models that no worker has: somebody must take such a job, to say so."""

    def __init__(self, jobs: JobQueue) -> None:
        self._jobs = jobs
        self._looked_at = -inf
        self._last: Mapping[str, str] = {}

    def found(self, keys: Sequence[str]) -> Mapping[str, str]:
        """By job: those among the first of each queue that have waited for ORPHAN_AFTER_S, in
        which nobody had their model.
        """
        if monotonic() - self._looked_at > _LOOK_FOR_ORPHANS_S:
            self._looked_at, self._last = monotonic(), {}
            with suppress(QueueDown):  # RQ waits for the queue server, and knows no such error
                self._last = self._look(keys)
        return self._last

    def _look(self, keys: Sequence[str]) -> Mapping[str, str]:
        waiting = list(self._waiting(keys))
        latest = now() - timedelta(seconds=ORPHAN_AFTER_S)
        missed = self._jobs.missed_since({model for _, model, _ in waiting})
        return {
            job_id: model
            for job_id, model, created_at in waiting
            if model in missed and max(missed[model], created_at) <= latest
        }

    def _waiting(self, keys: Sequence[str]) -> Iterator[tuple[str, str, datetime]]:
        """The first jobs of each queue: id, model, and when it came."""
        with self._jobs.connection.pipeline() as pipe:
            for key in keys:
                pipe.lrange(key, 0, _LOOKED_AT - 1)
            ids = [as_text(job_id) for some in pipe.execute() for job_id in some]
            for job_id in ids:
                pipe.hmget(key_of(job_id), "model", "created_at")
            for job_id, (model, created_at) in zip(ids, pipe.execute(), strict=True):
                if model and created_at:
                    yield job_id, as_text(model), datetime.fromisoformat(as_text(created_at))
