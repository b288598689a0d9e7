"""RQ's worker and queue, changed so that models stay in memory and no job is lost or done twice.

RQ's own Worker forks for each job, and models would load anew; SimpleWorker stays, but has no
heartbeat while it works and no way to be stopped. RQ pops from two queues with BLPOP, and what it
popped in the instant of a crash is gone. Each class here says which of these it mends.
"""

import logging
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from time import monotonic
from typing import Any

import redis
from rq import Queue
from rq.exceptions import DequeueTimeout
from rq.executions import Execution
from rq.intermediate_queue import IntermediateQueue
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.timeouts import BaseDeathPenalty
from rq.utils import as_text, now

from worker.limits import TimeLimit, Watchdog
from worker.outlasting import OUTAGES, OutlastingWorker
from worker.queue import PRESENCE_TTL_S, QueueDown

HEARTBEAT_S = 5
TIME_LIMIT_EXIT = 75  # EX_TEMPFAIL: start me again

_ABANDONED_S = 10  # in the intermediate queue, where a job stays for milliseconds
_LOOK_AT_BATCH_S = 0.05  # how long a batch job may wait while the worker is idle
_MAINTENANCE_LOCK_S = 10
_SWEEP_S = 600

_log = logging.getLogger(__name__)


class BriefIntermediateQueue(IntermediateQueue):
    """Jobs between a queue and a worker; RQ waits a minute before it takes one for abandoned."""

    def should_be_cleaned_up(self, job_id: str) -> bool:
        first_seen = self.get_first_seen(job_id)
        return first_seen is not None and (now() - first_seen).total_seconds() > _ABANDONED_S


class LosslessQueue(Queue):
    """Hands jobs out with LMOVE from the first queue that has one, whatever their number."""

    @property
    def intermediate_queue(self) -> IntermediateQueue:
        return BriefIntermediateQueue(self.key, connection=self.connection)

    def acquire_maintenance_lock(self) -> bool:
        """RQ's lock outlives a worker killed under it by 15 minutes, and nothing is recovered."""
        key = self.registry_cleaning_key
        return bool(self.connection.set(key, 1, nx=True, ex=_MAINTENANCE_LOCK_S))

    @classmethod
    def dequeue_any(
        cls,
        queues: Iterable[Queue],
        timeout: int | None,
        connection: redis.Redis,
        *args: Any,
        **options: Any,
    ) -> tuple[Job, Queue] | None:
        """The next job of the first queue that has one.

        Raises:
            DequeueTimeout: none came in `timeout` seconds; without a timeout, None is returned.
        """
        keys = [queue.key for queue in queues]
        deadline = None if timeout is None else monotonic() + timeout
        while True:
            if popped := cls.pop(keys, connection, block=deadline is not None):
                key, job_id = popped
                if found := cls._fetch_dequeued_job(connection, key, job_id, *args, **options):
                    return found
                IntermediateQueue(key, connection).remove(job_id)
                cls.has_expired(job_id)
            elif deadline is None:
                return None
            elif monotonic() >= deadline:
                raise DequeueTimeout(timeout, keys)

    @classmethod
    def pop(
        cls, keys: list[str], connection: redis.Redis, *, block: bool
    ) -> tuple[str, str] | None:
        """Queue and job id; only the first queue can be waited on, and only for a moment."""
        for key in keys:
            if job_id := connection.lmove(key, IntermediateQueue.get_intermediate_queue_key(key)):
                return key, as_text(job_id)
        return cls.await_next(keys[0], connection) if block else None

    @classmethod
    def has_expired(cls, job_id: str) -> None:
        """Hears of a job whose time to live was over when its turn came."""

    @staticmethod
    def await_next(key: str, connection: redis.Redis) -> tuple[str, str] | None:
        """The same of the next job in one queue, if it comes in this moment."""
        intermediate = IntermediateQueue.get_intermediate_queue_key(key)
        job_id = connection.blmove(key, intermediate, _LOOK_AT_BATCH_S)  # type: ignore[arg-type]
        return (key, as_text(job_id)) if job_id else None


class NoAlarm(BaseDeathPenalty):
    """RQ's time limit is a signal, which a network in C++ code does not hear; ours is below."""

    def setup_death_penalty(self) -> None: ...

    def cancel_death_penalty(self) -> None: ...


class ResidentWorker(OutlastingWorker):
    """Works in its own process, beats while it works, and dies when a job takes too long."""

    death_penalty_class = NoAlarm
    max_connection_wait_time = 2.0

    def __init__(
        self,
        queues: Sequence[str],
        *,
        name: str,
        connection: redis.Redis,
        job_class: type[Job],
        queue_class: type[LosslessQueue],
        announce: Callable[[], None],
        tell: Callable[[Job | None], None],
        gather: Callable[[Job, Queue], list[Job]],
        give_up: Callable[[Sequence[Job]], None],
        tidy: Callable[[], None],
        sweep: Callable[[], object],
    ) -> None:
        """`queues` are served in their order; `announce` says that the worker lives, `tell` what it
        has in hand, `gather`
        takes jobs that can be done beside another, `give_up` hears of jobs that take too long,
        `tidy` is called every few seconds between jobs, and `sweep`, which cleans the store, now
        and then.
        """
        super().__init__(
            queues,
            name=name,
            connection=connection,
            job_class=job_class,
            queue_class=queue_class,
            serializer=JSONSerializer,
            worker_ttl=20,
            maintenance_interval=HEARTBEAT_S,
            job_monitoring_interval=HEARTBEAT_S,
            log_job_description=False,
        )
        self._announce = announce
        self._tell = tell
        self._gather = gather
        self._give_up = give_up
        self._tidy = tidy
        self._sweep = sweep
        self._swept_at = monotonic()
        self._in_hand: tuple[tuple[Job, Execution], ...] = ()
        self._beside: tuple[str, ...] = ()
        self._limits: list[TimeLimit] = []
        self._watchdog = Watchdog()

    @property
    def dequeue_timeout(self) -> int:
        """Seconds between two looks at whether maintenance is due; RQ's own is a whole interval,
        and a dead worker's job would wait for two.
        """
        return 1

    def start_beating(self) -> None:
        """Announce the worker now and then every HEARTBEAT_S, until the process ends."""
        self._announce()
        threading.Thread(target=self._beat_for_ever, name="heart", daemon=True).start()

    def get_heartbeat_ttl(self, job: Job, working_time: float = 0.0) -> int:
        """SimpleWorker's is the time limit and a minute: so long would a dead worker's job wait."""
        return PRESENCE_TTL_S

    def prepare_job_execution(self, job: Job, remove_from_intermediate_queue: bool = False) -> None:
        """RQ leaves a job in the intermediate queue, to be done again, if there are two queues."""
        super().prepare_job_execution(job, remove_from_intermediate_queue=True)

    @property
    def is_stopping(self) -> bool:
        """It was told to stop, and will when the job in hand is done."""
        return self._stop_requested

    @property
    def job_in_hand(self) -> Job:
        """The job that is being done, the innermost where one is done in the middle of another."""
        return self._in_hand[-1][0]

    def limit_step(self, seconds: float) -> AbstractContextManager[None]:
        """Ends the process when a step of the job in hand takes longer."""
        return self._limit([self.job_in_hand], seconds)

    def take_beside(self) -> tuple[str, ...]:
        """Ids of the jobs to be done with the one in hand, told once."""
        beside, self._beside = self._beside, ()
        return beside

    def serve_people(self) -> None:
        """In the middle of a job from another queue: do what is in the first one. The time limits
        of the other job are held up meanwhile, and an outage of the queue server does not end it.
        """
        if self.job_in_hand.origin == self.queues[0].name:
            return
        with suppress(*OUTAGES):  # people's jobs come back, as if this worker had died
            self._serve_people()

    def _serve_people(self) -> None:
        while not self._stop_requested and (found := self._next_of_people()):
            held = list(self._limits)
            for limit in held:
                limit.hold()
            try:
                self.execute_all(*found)
            finally:
                for limit in held:
                    limit.go_on()

    def _next_of_people(self) -> tuple[Job, Queue] | None:
        return self.queue_class.dequeue_any(
            self.queues[:1],
            None,
            self.connection,
            job_class=self.job_class,
            serializer=self.serializer,
        )

    def execute_all(self, job: Job, queue: Queue) -> None:
        """The job and those that can be done beside it.

        RQ knows one job at a time, so the first does the work of all. When RQ comes to the others
        they have ended, and there is nothing left to do; or the first has failed, and each is done
        on its own.
        """
        others = self._gather(job, queue)
        held = [(one, self.prepare_execution(one)) for one in (job, *others)]
        for other in others:
            self.prepare_job_execution(other)
        before, self._in_hand = self._in_hand, (*self._in_hand, *held)
        self._beside = tuple(other.id for other in others)
        self._tell(job)
        try:
            self._perform([job, *others], queue, held[0][1])
            for other, execution in held[1:]:
                self._perform([other], queue, execution)
        finally:
            self._in_hand = before
            self._tell(before[-1][0] if before else None)

    def _perform(self, jobs: Sequence[Job], queue: Queue, execution: Execution) -> None:
        """RQ's part in the first of `jobs`, which are done together."""
        with self._limit(jobs, jobs[0].timeout or self.queue_class.DEFAULT_TIMEOUT):
            self.perform_job(jobs[0], queue, execution)

    @contextmanager
    def _limit(self, jobs: Sequence[Job], seconds: float) -> Iterator[None]:
        with TimeLimit(self._watchdog, seconds, partial(self._die, jobs)) as limit:
            self._limits.append(limit)
            try:
                yield
            finally:
                self._limits.pop()

    def run_maintenance_tasks(self) -> None:
        super().run_maintenance_tasks()
        self._tidy()
        if monotonic() - self._swept_at > _SWEEP_S:
            self._swept_at = monotonic()
            self._sweep()

    def _die(self, jobs: Sequence[Job]) -> None:
        """End the process: what hangs in a library can't be ended otherwise."""
        try:
            self._give_up(jobs)
        finally:
            os._exit(TIME_LIMIT_EXIT)

    def _beat_for_ever(self) -> None:
        pause = threading.Event()
        while not pause.wait(HEARTBEAT_S):
            try:
                self._announce()
                for job, execution in self._in_hand:
                    self.maintain_heartbeats(job, execution)
            except (QueueDown, redis.RedisError) as error:
                _log.warning("no heartbeat: %s", error)
