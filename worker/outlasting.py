"""RQ's worker, made to outlast the queue server.

An idle worker of RQ waits when the queue server goes away; one that has a job in hand quits, and so
does one that just had one. What a worker says of itself is said again with the next beat, so here
an outage costs that one word and no more.
"""

import logging
from contextlib import suppress

import redis
from redis.client import Pipeline
from rq import Queue, SimpleWorker
from rq.job import Job
from rq.worker import WorkerStatus

from worker.connection import QueueDown

OUTAGES = (redis.ConnectionError, redis.TimeoutError, QueueDown)

_log = logging.getLogger(__name__)


class OutlastingWorker(SimpleWorker):
    """Goes on with the next job when the queue server is back. The one in hand comes back too, to
    any worker, since nobody beats for it any more.
    """

    def execute_all(self, job: Job, queue: Queue) -> None:
        """The job, with whatever goes with it; for subclasses."""
        raise NotImplementedError

    def execute_job(self, job: Job, queue: Queue) -> None:
        """RQ calls this outside of what waits for the queue server."""
        try:
            self.execute_all(job, queue)
        except OUTAGES as error:
            _log.warning("the queue server went away in the middle of job %s: %s", job.id, error)
        self.set_state(WorkerStatus.IDLE)

    def set_state(self, state: str, pipeline: Pipeline | None = None) -> None:
        with suppress(*OUTAGES):
            super().set_state(state, pipeline)

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        with suppress(*OUTAGES):
            super().heartbeat(timeout, pipeline)

    def check_for_suspension(self, burst: bool) -> None:
        with suppress(*OUTAGES):
            super().check_for_suspension(burst)

    def run_maintenance_tasks(self) -> None:
        with suppress(*OUTAGES):
            super().run_maintenance_tasks()  # type: ignore[no-untyped-call]

    def set_shutdown_requested_date(self) -> None:
        """Called by the handler of SIGTERM, so what it raised would end the job in hand."""
        with suppress(*OUTAGES):
            super().set_shutdown_requested_date()  # type: ignore[no-untyped-call]

    def register_death(self) -> None:
        """RQ forgets a worker that beats no more all the same."""
        with suppress(*OUTAGES):
            super().register_death()  # type: ignore[no-untyped-call]

    def unsubscribe(self) -> None:
        with suppress(*OUTAGES):
            super().unsubscribe()  # type: ignore[no-untyped-call]
