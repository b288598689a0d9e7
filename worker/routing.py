"""Which worker does a job, where not every worker has every model.

All jobs wait in the same queues, in their order. A worker takes the first that it can do, and
leaves the others to the workers that can. So a job need not know who will do it, workers come and
go with what they have, and nothing that waits has to be moved when they do.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from math import inf
from time import monotonic, sleep

import redis
from rq.intermediate_queue import IntermediateQueue
from rq.utils import as_text

from worker.queue import JobQueue
from worker.records import key_of, now
from worker.resident import LosslessQueue

ORPHAN_AFTER_S = 30.0  # a worker that has the model may be starting just now

_LOOK_AGAIN_S = 0.05  # while jobs wait that are for other workers
_LOOK_FOR_ORPHANS_S = 1.0

# One step, so that a job is always in one of the two lists. What has no record of ours is taken,
# to be refused. KEYS: queue, intermediate queue; ARGV: where records are, then models.
_TAKE = """
local ours = {}
for n = 2, #ARGV do ours[ARGV[n]] = true end
local from = 0
while true do
  local ids = redis.call('lrange', KEYS[1], from, from + 99)
  if #ids == 0 then return false end
  for _, id in ipairs(ids) do
    local model = redis.call('hget', ARGV[1] .. id, 'model')
    if not model or ours[model] then
      redis.call('lrem', KEYS[1], 1, id)
      redis.call('rpush', KEYS[2], id)
      return id
    end
  end
  from = from + 100
end
"""


def routed_queue(jobs: JobQueue, served: Callable[[], Iterable[str]]) -> type[LosslessQueue]:
    """The queues as a worker sees them that has the models `served`, which may change."""
    take_first = jobs.connection.register_script(_TAKE)
    orphans = _Orphans(jobs)

    class RoutedQueue(LosslessQueue):
        @classmethod
        def pop(
            cls, keys: list[str], connection: redis.Redis, *, block: bool
        ) -> tuple[str, str] | None:
            """The first job of ours, by queue and id; waits a moment for one if there is none."""
            if not any(connection.llen(key) for key in keys):  # as a rule; the rest costs more
                return cls._first_to_come(keys, connection) if block else None
            ours = {*served(), *orphans.models(keys)}
            for key in keys:
                places = [key, IntermediateQueue.get_intermediate_queue_key(key)]
                if job_id := take_first(keys=places, args=[key_of(""), *ours]):
                    return key, as_text(job_id)
            if block:
                sleep(_LOOK_AGAIN_S)
            return None

        @classmethod
        def _first_to_come(cls, keys: list[str], connection: redis.Redis) -> tuple[str, str] | None:
            """What comes into the empty first queue next, unless it is for others: then it goes
            back.
            """
            key = keys[0]
            if (popped := cls.await_next(key, connection)) is None:
                return None
            model = connection.hget(key_of(popped[1]), "model")
            if model is None or as_text(model) in {*served(), *orphans.models(keys)}:
                return popped
            with connection.pipeline() as pipe:
                pipe.lpush(key, popped[1])
                pipe.lrem(IntermediateQueue.get_intermediate_queue_key(key), 1, popped[1])
                pipe.execute()
            sleep(_LOOK_AGAIN_S)
            return None

    return RoutedQueue


class _Orphans:
    """Models that jobs wait for and no worker has: somebody must take such a job, to say so."""

    def __init__(self, jobs: JobQueue) -> None:
        self._jobs = jobs
        self._looked_at = -inf
        self._last: frozenset[str] = frozenset()

    def models(self, keys: Sequence[str]) -> frozenset[str]:
        """Those at the head of a queue for some time."""
        if monotonic() - self._looked_at > _LOOK_FOR_ORPHANS_S:
            self._looked_at = monotonic()
            waiting = set(self._waiting(keys))
            self._last = frozenset(waiting - self._jobs.served_models() if waiting else ())
        return self._last

    def _waiting(self, keys: Sequence[str]) -> Iterator[str]:
        """Models of jobs at the head of a queue that have waited for so long."""
        connection = self._jobs.connection
        for key in keys:
            if (job_id := connection.lindex(key, 0)) is None:
                continue
            model, created_at = connection.hmget(key_of(as_text(job_id)), "model", "created_at")
            if model is None or created_at is None:
                continue
            waited = now() - datetime.fromisoformat(as_text(created_at))
            if waited.total_seconds() > ORPHAN_AFTER_S:
                yield as_text(model)
