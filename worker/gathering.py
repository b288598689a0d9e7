"""Which jobs go through the network together.

The job in hand takes along what waits behind it and fits, and never waits for more: while a pass
runs, the next one's jobs come together by themselves. What waits is shared with the other workers,
and a job whose worker died goes alone from then on, since one of those beside it may be to blame.
"""

from rq import Queue
from rq.exceptions import DeserializationError
from rq.intermediate_queue import IntermediateQueue
from rq.job import Job
from rq.utils import as_text

from worker.passes import beside
from worker.queue import FUNCTION, JobQueue
from worker.records import RETRIES

_LOOKED_AT = 64  # jobs behind the one in hand
# One step, so that a job is always in one of the two lists, and in no other worker's hands.
_TAKE = """
local taken = {}
for _, id in ipairs(ARGV) do
  if redis.call('lrem', KEYS[1], 1, id) == 1 then
    redis.call('rpush', KEYS[2], id)
    table.insert(taken, id)
  end
end
return taken
"""


class Gatherer:
    """Takes jobs off a queue that can go through the network with another."""

    def __init__(self, jobs: JobQueue, *, most: int) -> None:
        """`most` pictures go through the network at once."""
        self._jobs = jobs
        self._most = most
        self._take = jobs.connection.register_script(_TAKE)

    def __call__(self, first: Job, queue: Queue) -> list[Job]:
        """Jobs for the same model and task as `first`, taken from `queue` in their order."""
        waiting = self._waiting(queue) if self._most > 1 and _may_share(first) else []
        if not waiting:
            return []
        own, *others = self._jobs.requests([first.id, *waiting])
        if own is None:
            return []
        numbers = beside(own, others, most=self._most, workers=len(self._jobs.workers()))
        fitting = [waiting[number] for number in numbers]
        found = type(first).fetch_many(
            fitting, connection=queue.connection, serializer=queue.serializer
        )
        by_id = {job.id: job for job in found if job is not None and _may_share(job)}
        keys = [queue.key, IntermediateQueue.get_intermediate_queue_key(queue.key)]
        taken = self._take(keys=keys, args=list(by_id)) if by_id else []
        return [by_id[as_text(job_id)] for job_id in taken]

    def _waiting(self, queue: Queue) -> list[str]:
        return [as_text(one) for one in queue.connection.lrange(queue.key, 0, _LOOKED_AT - 1)]


def _may_share(job: Job) -> bool:
    """A job of ours that is tried for the first time."""
    try:
        return job.func_name == FUNCTION and job.retries_left == RETRIES
    except DeserializationError:  # put there by somebody else
        return False
